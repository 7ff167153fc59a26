import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { fromCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { agentPaused, agentRevoked, alreadyDecided, approvalExpired, insufficientBalance } from '../errors.ts'
import { decideApproval, listApprovalsOf, type DecisionOutcome } from '../queries/approvals.ts'
import { toApproval, toNotification } from '../wire.ts'

const problemOf = (approvalId: number, { outcome, agentId, balanceCents, amountCents }: DecisionOutcome) => {
  switch (outcome) {
    case 'already_approved':
      return alreadyDecided(approvalId, 'approved')
    case 'already_rejected':
      return alreadyDecided(approvalId, 'rejected')
    case 'expired':
      return approvalExpired(approvalId)
    case 'insufficient':
      return insufficientBalance(balanceCents, amountCents)
    case 'paused':
      return agentPaused(agentId)
    case 'revoked':
      return agentRevoked(agentId)
    case 'unknown':
      return notFound(`Approval request ${approvalId} does not exist.`)
    default:
      return new Error(`A decision ended as ${outcome}.`)
  }
}

/** Decides an approval request and publishes its events. */
const decide = async (
  { clock, outbox }: Pick<FastifyInstance, 'clock' | 'outbox'>,
  trx: Trx,
  approvalId: number,
  caller: SessionCaller,
  decision: 'approved' | 'rejected'
): Promise<void> => {
  const decided = await decideApproval(trx, approvalId, caller.userId, decision === 'approved', clock.now())
  if (decided.outcome !== decision) throw problemOf(approvalId, decided)
  const { ownerPartnerId: partnerId, agentId, transactionId } = decided
  const data = { agent_id: agentId, approval_id: approvalId, amount: fromCents(decided.amountCents) }
  const decisionEvent = { partnerId, type: 'agent.approval_decided' as const, data: { ...data, status: decision } }
  const spend = { ...data, transaction_id: transactionId, balance: fromCents(decided.balanceCents) }
  await outbox.publish(
    trx,
    decision === 'approved' ? [decisionEvent, { partnerId, type: 'agent.spend', data: spend }] : [decisionEvent]
  )
}

export const approvalHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'approveSpend' | 'rejectSpend' | 'listApprovals' | 'listNotifications'> => ({
  async approveSpend({ body, caller, db }) {
    await decide(app, db, body.request_id, caller, 'approved')
    return { ok: true, status: 'approved' }
  },

  async rejectSpend({ body, caller, db }) {
    await decide(app, db, body.request_id, caller, 'rejected')
    return { ok: true, status: 'rejected' }
  },

  async listApprovals({ query, caller, db }) {
    const list = filteredList('approvals', { status: query.status })
    const before = readPosition(app.cursors, list, query.cursor)
    const found = await listApprovalsOf(db, caller.userId, query.status, before, query.limit + 1, app.clock.now())
    const { rows, nextCursor } = pageOf(found, query.limit, (last) => app.cursors.encode(list, [last.id]))
    return { approvals: rows.map(toApproval), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async listNotifications({ query, caller, db }) {
    const before = readPosition(app.cursors, 'notifications', query.cursor)
    const found = await app.notifications.list(db, caller.userId, query.limit + 1, before)
    const { rows, nextCursor } = pageOf(found, query.limit, (last) =>
      app.cursors.encode('notifications', [last.position])
    )
    return { items: rows.map(toNotification), nextCursor }
  }
})
