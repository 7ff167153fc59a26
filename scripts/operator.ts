import { setOperator } from '../modules/admin/index.ts'
import { loadConfig } from '../plugins/config/index.ts'
import { openDatabase } from '../plugins/database/index.ts'
import { isMigrated, migrateToLatest } from '../plugins/database/migrate.ts'
import { runWithArguments } from './command.ts'

const help = `Grants or revokes the operator role of a user.

  npm run operator -- promote <email>
  npm run operator -- demote <email>

Uses the PostgreSQL database in DATABASE_URL, else the embedded one in ATLAS_DATA_DIR. Only one process at a time can use
the embedded database: stop the server first. The user must already have an account.`

const run = async (command: 'promote' | 'demote', email: string): Promise<string> => {
  const config = loadConfig(process.env)
  const database = await openDatabase(config, (error) =>
    console.error(`The database connection failed: ${error.message}`)
  ).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(
      `The database cannot be opened. ${reason}\nOnly one process at a time can use the embedded database: stop the server, or set DATABASE_URL.`
    )
  })
  try {
    if (config.environment !== 'production') await migrateToLatest(database.db)
    else if (!(await isMigrated(database.db)))
      throw new Error('The database schema is outdated. Run `npm run migrate`.')
    if (!(await setOperator(database.db, email, command === 'promote'))) {
      throw new Error(`No user has the address ${email}. Create the account first: POST /api/v1/auth/register.`)
    }
    return command === 'promote'
      ? `${email} is an operator, starting with the next request.`
      : `${email} is no longer an operator.`
  } finally {
    await database.close()
  }
}

runWithArguments({ help, options: {}, allowPositionals: true }, async (_values, [command, email, ...rest]) => {
  if ((command !== 'promote' && command !== 'demote') || email === undefined || rest.length > 0) {
    console.error(help)
    return 2
  }
  console.log(await run(command, email.trim()))
})
