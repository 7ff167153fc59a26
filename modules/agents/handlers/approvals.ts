import type { FastifyInstance } from 'fastify'
import type { SessionCaller } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { fromCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/agents.ts'
import { showApproval, showNotification } from '../answers.ts'
import { alreadyDecided, approvalExpired, holdsTooLittle, isPaused, isRevoked } from '../errors.ts'
import { decide, listApprovalsOf, type DecisionOutcome } from '../queries/approvals.ts'

type ApprovalHandlers = Pick<
  Handlers<typeof operations>,
  'approveSpend' | 'rejectSpend' | 'listApprovals' | 'listNotifications'
>

/** What stands in the way of a decision. */
const refusalOf = (outcome: DecisionOutcome) => {
  switch (outcome.outcome) {
    case 'already_approved':
    case 'already_rejected': {
      const decision = outcome.outcome.slice('already_'.length)
      return alreadyDecided(`This request was ${decision} already.`, { decision })
    }
    case 'expired':
      return approvalExpired('This request has expired.')
    case 'insufficient':
      return holdsTooLittle(outcome.balance_cents, outcome.amount_cents)
    case 'paused':
      return isPaused()
    case 'revoked':
      return isRevoked()
    case 'unknown':
      return notFound('There is no such approval request.')
    default:
      return new Error(`A decision ended as ${outcome.outcome}.`)
  }
}

const decideAndTell = async (
  app: FastifyInstance,
  trx: Trx,
  approvalId: number,
  caller: SessionCaller,
  decision: 'approved' | 'rejected'
): Promise<void> => {
  const outcome = await decide(trx, approvalId, caller.userId, decision === 'approved', app.clock.now())
  if (outcome.outcome !== decision) throw refusalOf(outcome)
  const { owner_partner_id: partnerId, agent_id, transaction_id, balance_cents } = outcome
  const amount = fromCents(outcome.amount_cents)
  const decided = {
    partnerId,
    type: 'agent.approval_decided',
    data: { agent_id, approval_id: approvalId, status: decision, amount }
  }
  const data = { agent_id, approval_id: approvalId, transaction_id, amount, balance: fromCents(balance_cents) }
  await app.outbox.publish(
    trx,
    decision === 'approved' ? [decided, { partnerId, type: 'agent.spend', data }] : [decided]
  )
}

export const approvalHandlers = (app: FastifyInstance): ApprovalHandlers => ({
  async approveSpend({ body, caller, db }) {
    await decideAndTell(app, db, body.request_id, caller, 'approved')
    return { ok: true, status: 'approved' }
  },

  async rejectSpend({ body, caller, db }) {
    await decideAndTell(app, db, body.request_id, caller, 'rejected')
    return { ok: true, status: 'rejected' }
  },

  async listApprovals({ query, caller, db }) {
    const found = await listApprovalsOf(db, caller.userId, {
      status: query.status,
      limit: query.limit + 1,
      beforeId: readPosition(app.cursors, 'approvals', query.cursor),
      now: app.clock.now()
    })
    const { rows, nextCursor } = pageOf(found, query.limit, (last) => app.cursors.encode('approvals', [last.id]))
    return { approvals: rows.map(showApproval), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async listNotifications({ query, caller, db }) {
    const found = await app.notifications.list(
      db,
      caller.userId,
      query.limit + 1,
      readPosition(app.cursors, 'notifications', query.cursor)
    )
    const { rows, nextCursor } = pageOf(found, query.limit, (last) =>
      app.cursors.encode('notifications', [last.position])
    )
    return { items: rows.map(showNotification), nextCursor }
  }
})
