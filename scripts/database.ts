import { loadConfig } from '../plugins/config/index.ts'
import { openDatabase } from '../plugins/database/index.ts'
import type { Db } from '../plugins/database/types.ts'

/**
 * Opens the configured database for `work`, and closes it.
 * @throws Error when migrations are pending
 */
export const withDatabase = async <T>(work: (db: Db) => Promise<T>): Promise<T> => {
  const database = await openDatabase(loadConfig(process.env), (error) => console.error(error.message))
  try {
    if (!(await database.migrated()))
      throw new Error('The database schema is outdated. Run `npm run migrate`, or start the server once.')
    return await work(database.db)
  } finally {
    await database.close()
  }
}
