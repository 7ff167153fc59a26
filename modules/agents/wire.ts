import type { Static } from '@sinclair/typebox'
import type { Notification as NotificationRecord } from '../../plugins/events/notifications/index.ts'
import type { LedgerEntry } from '../../plugins/ledger/index.ts'
import { fromCents } from '../../plugins/money.ts'
import type { Notification, RecentTransaction } from '../../spec/generated/agents.ts'
import type { Agent } from './queries/agents.ts'
import type { Approval } from './queries/approvals.ts'

export const toRecentTransaction = (entry: LedgerEntry): Static<typeof RecentTransaction> => ({
  type: entry.type,
  amount: fromCents(entry.amountCents),
  description: entry.description,
  created_at: entry.createdAt.toISOString()
})

export const toTransaction = (entry: LedgerEntry) => ({
  id: entry.transactionId,
  ...toRecentTransaction(entry),
  balance_after: fromCents(entry.balanceAfterCents)
})

const toLimit = (limitCents: number | null): number | null => (limitCents === null ? null : fromCents(limitCents))

export const toLimits = (limits: Pick<Agent, 'dailyLimitCents' | 'perTransactionLimitCents'>) => ({
  daily_limit: toLimit(limits.dailyLimitCents),
  per_transaction_limit: toLimit(limits.perTransactionLimitCents)
})

export const toAgent = (agent: Agent, balanceCents: number) => ({
  agent_id: agent.agentId,
  name: agent.name,
  balance: fromCents(balanceCents),
  status: agent.status,
  is_verified: agent.isVerified,
  ...toLimits(agent),
  owed: fromCents(agent.owedCents),
  created_at: agent.createdAt.toISOString()
})

export const toApproval = (approval: Approval) => ({
  approval_id: approval.id,
  agent_id: approval.agentId,
  amount: fromCents(approval.amountCents),
  description: approval.description,
  item_name: approval.itemName,
  url: approval.url,
  reason: approval.reason,
  status: approval.status,
  created_at: approval.createdAt.toISOString(),
  expires_at: approval.expiresAt.toISOString()
})

export const toNotification = (notification: NotificationRecord): Static<typeof Notification> => ({
  id: notification.id,
  type: notification.type,
  message: notification.message,
  data: notification.data,
  sms: notification.smsStatus,
  createdAt: notification.createdAt.toISOString()
})

export const toSpend = (transactionId: number, amountCents: number, balanceCents: number) => ({
  ok: true,
  spent: fromCents(amountCents),
  balance: fromCents(balanceCents),
  transaction_id: transactionId
})
