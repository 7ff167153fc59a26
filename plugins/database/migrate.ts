import { createMigrations } from './migrator.ts'
import { migrations } from './migrations/index.ts'

/** The schema of the product; the simulators have a history of their own. */
export const { migrateToLatest, isMigrated, findUnknown } = createMigrations({ migrations })
