import type { Notification, RecentTransaction } from '../../spec/generated/agents.ts'
import type { Static } from '@sinclair/typebox'
import type { HistoryRow } from '../../plugins/ledger/index.ts'
import { fromCents } from '../../plugins/money.ts'
import type { AgentRow } from './queries/agents.ts'
import type { ApprovalRow } from './queries/approvals.ts'
import type { NotificationsTable } from '../../plugins/events/notifications/tables.ts'
import type { Selectable } from 'kysely'

/** How rows are shown on the wire. */

export const showRecent = (row: HistoryRow): Static<typeof RecentTransaction> => ({
  type: row.type,
  amount: fromCents(row.amountCents),
  description: row.description,
  created_at: row.createdAt.toISOString()
})

export const showTransaction = (row: HistoryRow) => ({
  id: row.id,
  ...showRecent(row),
  balance_after: fromCents(row.balanceAfterCents)
})

const showLimit = (limitCents: number | null): number | null => (limitCents === null ? null : fromCents(limitCents))

export const showLimits = (agent: Pick<AgentRow, 'daily_limit_cents' | 'per_transaction_limit_cents'>) => ({
  daily_limit: showLimit(agent.daily_limit_cents),
  per_transaction_limit: showLimit(agent.per_transaction_limit_cents)
})

export const showAgent = (agent: AgentRow, balanceCents: number, owedCents: number) => ({
  agent_id: agent.agent_id,
  name: agent.name,
  balance: fromCents(balanceCents),
  status: agent.status,
  is_verified: agent.is_verified,
  ...showLimits(agent),
  owed: fromCents(owedCents),
  created_at: agent.created_at.toISOString()
})

export const showApproval = (row: ApprovalRow) => ({
  approval_id: row.id,
  agent_id: row.agent_id,
  amount: fromCents(row.amount_cents),
  description: row.description,
  item_name: row.item_name,
  url: row.url,
  reason: row.reason,
  status: row.status,
  created_at: row.created_at.toISOString(),
  expires_at: row.expires_at.toISOString()
})

type NotificationRow = Pick<
  Selectable<NotificationsTable>,
  'id' | 'type' | 'message' | 'data' | 'created_at' | 'sms_status'
>

export const showNotification = (row: NotificationRow): Static<typeof Notification> => ({
  id: row.id,
  type: row.type,
  message: row.message,
  data: row.data,
  sms: row.sms_status,
  createdAt: row.created_at.toISOString()
})

export const showSpend = (transactionId: number, amountCents: number, balanceCents: number) => ({
  ok: true,
  spent: fromCents(amountCents),
  balance: fromCents(balanceCents),
  transaction_id: transactionId
})
