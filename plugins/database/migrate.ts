import { fileURLToPath } from 'node:url'
import { createMigrations } from './migrator.ts'
import { migrations } from './migrations/index.ts'

/** The migrations of the product. The simulators have their own. */
export const { migrateToLatest, isMigrated, findUnknown } = createMigrations({
  migrations,
  functionsFolder: fileURLToPath(new URL('functions', import.meta.url))
})
