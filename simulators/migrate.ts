import { createMigrations } from '../plugins/database/migrator.ts'
import { migrations } from './migrations/index.ts'

/** The simulators' tables, apart from the product's. */
export const { migrateToLatest, isMigrated } = createMigrations({ migrations, schema: 'simulators' })
