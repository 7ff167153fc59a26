import fc from 'fast-check'
import { sql } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import { operations } from '../architecture/document.ts'
import type { FuzzAnswer } from './judge.ts'
import { validRequests, type FuzzRequest } from './requests.ts'
import { canary } from './strange-text.ts'
import { admittedKinds, type Tenant } from './tenants.ts'

/** Where a tenant's own words must stand before another one goes looking for them, or that search proves nothing. */
const columns = [
  'agents.name', 'approvals.description', 'approvals.item_name', 'bureau_accounts.platform', 'bureau_agents.name', 'bureau_events.notes',
  'credentials.name', 'events.data', 'items.institution_name', 'items.user_id', 'ledger_transactions.description', 'notifications.data',
  'notifications.message', 'projects.description', 'projects.name', 'recipients.name', 'recipients.user_id', 'safe_to_spend.end_user_id',
  'tasks.description', 'tasks.title', 'transactions.user_id', 'transfers.user_id', 'usage_events.category', 'usage_events.institution',
  'usage_users.user_id', 'users.name', 'webhooks.description'
]

/** The operations that must show its words to the tenant who wrote them. */
const reads = [
  'getBalance', 'getStatus', 'listApprovals', 'listAgents', 'listAgentTransactions', 'listNotifications', 'getScore', 'getProfile', 'listApiKeys',
  'listActivity', 'getUsage', 'listTransfers', 'getTransfer', 'listRecipients', 'listWebhooks', 'getWebhook', 'listEvents', 'listProjects',
  'getProject', 'listTasks', 'getTask'
]

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
  return [
    ...columns.filter((column) => !stored.includes(column)).map((column) => `canary: ${column} holds no marked text`),
    ...reads.filter((operationId) => !shown.includes(operationId)).map((operationId) => `canary: ${operationId} shows its writer no marked text`)
  ]
}
