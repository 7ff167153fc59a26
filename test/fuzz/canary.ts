import fc from 'fast-check'
import { sql } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import { operations } from '../architecture/document.ts'
import type { FuzzAnswer } from './judge.ts'
import { validRequests, type FuzzRequest } from './requests.ts'
import { canary } from './strange-text.ts'
import { admittedKinds, type Tenant } from './tenants.ts'

/** Where a tenant's own words must stand before another one goes looking for them, or that search proves nothing. */
const columns: string[] = []

/** The operations that must show its words to the tenant who wrote them. */
const reads: string[] = []

/** Every column with text that holds the canary, as `table.column`. */
const columnsWithCanary = async (db: Db): Promise<string[]> => {
  const { rows } = await sql<{ table: string; column: string }>`
    select c.table_name as "table", c.column_name as "column" from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'jsonb', 'character varying') order by 1, 2`.execute(db)
  const found: string[] = []
  for (const { table, column } of rows) {
    const holds = await sql<{ one: number }>`select 1 as one from ${sql.table(table)} where ${sql.ref(column)}::text like ${`%${canary}%`} limit 1`.execute(db)
    if (holds.rows.length > 0) found.push(`${table}.${column}`)
  }
  return found
}

/** The reading operations that answer the tenant with its own canary. */
export const readsOfCanary = async (tenant: Tenant, ask: (request: FuzzRequest, credential: Record<string, string>) => Promise<FuzzAnswer>): Promise<string[]> => {
  const found: string[] = []
  for (const operation of operations.filter(({ method }) => method === 'GET')) {
    const [kind = 'nobody'] = admittedKinds(operation)
    const drawn = fc.sample(validRequests(operation, { pool: tenant.pool, stock: tenant.stock, email: tenant.email, marked: false }), { numRuns: 15, seed: 1 })
    for (const request of drawn) {
      const { status, text } = await ask(request, await tenant.present(operation, kind))
      if (status >= 300 || request.path.includes(canary) || !text.includes(canary)) continue
      found.push(operation.operationId)
      break
    }
  }
  return found
}

/** What ought to hold the canary and does not. */
export const whatLacksCanary = async (db: Db, shown: readonly string[], print: (line: string) => void): Promise<string[]> => {
  const stored = await columnsWithCanary(db)
  print(`marked texts stand in ${stored.length} columns, and ${shown.length} operations show them to their writer`)
  if (process.env.FUZZ_DEBUG !== undefined) print(JSON.stringify({ stored, shown }))
  return [
    ...columns.filter((column) => !stored.includes(column)).map((column) => `canary: ${column} holds no marked text`),
    ...reads.filter((operationId) => !shown.includes(operationId)).map((operationId) => `canary: ${operationId} shows its writer no marked text`)
  ]
}
