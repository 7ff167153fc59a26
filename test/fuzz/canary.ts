import fc from 'fast-check'
import { sql } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import { operations } from '../architecture/document.ts'
import type { FuzzResponse } from './judge.ts'
import { validRequests, type FuzzRequest } from './requests.ts'
import { canary } from './strange-text.ts'
import { admittedKinds, type Tenant } from './tenants.ts'

/** Columns that must contain the canary. Without this check, its absence from other tenants' responses would prove nothing. */
const columns = [
  'agents.name',
  'approvals.description',
  'bureau_agents.platform',
  'bureau_events.notes',
  'credentials.name',
  'events.data',
  'items.user_id',
  'ledger_transactions.description',
  'notifications.data',
  'projects.description',
  'projects.name',
  'recipients.name',
  'recipients.user_id',
  'tasks.description',
  'tasks.title',
  'transactions.user_id',
  'transfers.user_id',
  'users.name',
  'webhooks.description'
]

/** The operations that must show the canary to the tenant that wrote it. */
const reads = [
  'getBalance',
  'getStatus',
  'listApprovals',
  'listAgents',
  'listAgentTransactions',
  'getProfile',
  'listApiKeys',
  'listTokens',
  'listTransfers',
  'listRecipients',
  'listWebhooks',
  'listEvents',
  'listProjects',
  'listTasks'
]

/** Writes the canary into a resource of every kind that has text. Generated requests add more. */
export const writeCanary = async ({ stock }: Tenant): Promise<void> => {
  const { call, session } = stock.owner
  const { agent = '', agentKey = '' } = stock.base
  const text = `${canary} text`
  await call('PATCH', '/api/v1/users/me', { name: text }, session)
  await call('POST', '/v1/api-keys', { name: text, environment: 'test' }, session)
  await call('POST', '/v1/tokens', { name: text, scopes: ['accounts:read'], environment: 'test' }, session)
  await call('POST', '/v1/webhooks', {
    url: 'http://127.0.0.1:9/hooks',
    events: ['transfer.returned'],
    description: text
  })
  const numbers = { routing_number: '021000021', account_number: '000123456789', account_type: 'checking' }
  await call('POST', '/v1/recipients', { name: text, user_id: `${canary}-user`, ...numbers })
  const { id: projectId } = await call('POST', '/v1/projects', { name: text, description: text })
  await call('POST', '/v1/tasks', { projectId, title: text, description: text })
  await call('POST', '/api/register', { agent_id: `${agent}-marked`, name: text }, session)
  await call('POST', '/v2/api/register', { agent_id: `${agent}-marked`, platform: text })
  const report = { reporter_name: text, reporter_platform: 'elsewhere', report_type: 'payment_ontime', notes: text }
  await call('POST', '/v2/api/report', { agent_id: `${agent}-marked`, ...report }, stock.owner.neighbour.key)
  await call('POST', '/api/spend', { amount: 1, description: text }, agentKey)
  await call('POST', '/api/spend', { amount: 1, description: text, require_approval: true, item_name: text }, agentKey)
}

/** Every text column that contains the canary, as `table.column`. */
const columnsWithCanary = async (db: Db): Promise<string[]> => {
  const { rows } = await sql<{ table: string; column: string }>`
    select c.table_name as "table", c.column_name as "column" from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
    where c.table_schema = current_schema() and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'jsonb', 'character varying') order by 1, 2`.execute(
    db
  )
  const found: string[] = []
  for (const { table, column } of rows) {
    const holds = await sql<{
      one: number
    }>`select 1 as one from ${sql.table(table)} where ${sql.ref(column)}::text like ${`%${canary}%`} limit 1`.execute(
      db
    )
    if (holds.rows.length > 0) found.push(`${table}.${column}`)
  }
  return found
}

/** The read operations that return the tenant's own canary to it. */
export const readsOfCanary = async (
  tenant: Tenant,
  send: (request: FuzzRequest, credential: Record<string, string>) => Promise<FuzzResponse>
): Promise<string[]> => {
  const found: string[] = []
  for (const operation of operations.filter(({ operationId }) => reads.includes(operationId))) {
    const [kind = 'anonymous'] = admittedKinds(operation)
    const drawn = fc.sample(
      validRequests(operation, { pool: tenant.pool, stock: tenant.stock, email: tenant.email, marked: false }),
      { numRuns: 10, seed: 1 }
    )
    for (const request of drawn) {
      const { status, text } = await send(request, await tenant.present(operation, kind))
      if (status >= 300 || request.path.includes(canary) || !text.includes(canary)) continue
      found.push(operation.operationId)
      break
    }
  }
  return found
}

/** The columns and operations that ought to contain the canary and do not. */
export const missingCanaries = async (
  db: Db,
  shown: readonly string[],
  print: (line: string) => void
): Promise<string[]> => {
  const stored = await columnsWithCanary(db)
  print(`the canary is in ${stored.length} columns, and ${shown.length} operations show it to its author`)
  return [
    ...columns.filter((column) => !stored.includes(column)).map((column) => `canary: ${column} does not contain it`),
    ...reads
      .filter((operationId) => !shown.includes(operationId))
      .map((operationId) => `canary: ${operationId} does not show it to its author`)
  ]
}
