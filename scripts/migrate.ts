import { openDatabase } from '../plugins/database/index.ts'
import { migrateToLatest } from '../plugins/database/migrate.ts'
import type { Db } from '../plugins/database/types.ts'
import { runWithArguments } from './command.ts'
import { countOf, withProgress } from './progress.ts'

const help = `Brings the database schema up to date: pending migrations, then changed SQL functions. In production, run it before the
new version starts; elsewhere the server does it at startup. Running it twice, or on two machines at once, is safe.

  npm run migrate              (from the source)
  node dist/scripts/migrate.js (from a build)

  DATABASE_URL      the PostgreSQL database; default: the embedded database in ATLAS_DATA_DIR (.atlas)
  ATLAS_SIMULATORS  in production: true to migrate the simulators' schema too
  --help            print this text
`

const setting = (name: string): string | undefined => (process.env[name] === '' ? undefined : process.env[name])

/** Whether to migrate the simulators' schema. */
const hasSimulators = (): boolean =>
  process.env.NODE_ENV !== 'production' || /^(true|yes|on|1)$/i.test(setting('ATLAS_SIMULATORS') ?? '')

const loadSimulatorMigrations = async () => await import('../simulators/migrate.ts')

/** @returns the names of the migrations that ran */
const migrate = async (db: Db, onStep: (step: string) => void): Promise<string[]> => {
  const ran = await migrateToLatest(db, onStep)
  if (!hasSimulators()) return ran
  const simulators = await loadSimulatorMigrations()
  const simulated = await simulators.migrateToLatest(db, onStep)
  return [...ran, ...simulated.map((name) => `simulators ${name}`)]
}

runWithArguments({ help, options: {} }, async () => {
  const databaseUrl = setting('DATABASE_URL')
  if (databaseUrl === undefined && process.env.NODE_ENV === 'production') {
    throw new Error(
      'DATABASE_URL is missing: set it to the PostgreSQL database, such as postgres://user:password@host:5432/atlasforge'
    )
  }
  const database = await openDatabase(
    { databaseUrl, databasePoolSize: 2, dataDir: setting('ATLAS_DATA_DIR') ?? '.atlas' },
    (error) => console.error(error.message)
  )
  try {
    let running = 'Migrating the schema'
    const onStep = (step: string) => (running = step)
    const ran = await withProgress(
      () => running,
      async () => await migrate(database.db, onStep)
    )
    for (const name of ran) console.log(`ran ${name}`)
    console.log(`The schema is up to date${ran.length === 0 ? '' : `: ${countOf(ran.length, 'migration')} ran`}.`)
  } finally {
    await database.close()
  }
})
