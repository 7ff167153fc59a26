import type { FastifyInstance } from 'fastify'
import { toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/bureau.ts'
import { closeAccount, openAccount } from './accounts.ts'
import { confirmReport, disputeReport } from './disputes.ts'
import { fieldsRequired, notEnrolled } from './errors.ts'
import { requireForeignAgent, requireFurnisher } from './furnishing.ts'
import { findCreditFile } from './queries/credit-files.ts'
import { findEnrolment, insertEnrolment } from './queries/enrolments.ts'
import { recordEvent } from './reporting.ts'
import { ageInDays, scoreOf } from './score.ts'
import { toScore } from './wire.ts'

const mostAccounts = 100
const mostReports = 20

const centsOrNull = (amount: number | undefined): number | null => (amount === undefined ? null : toCents(amount))

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  async enrollAgent({ db, body }) {
    const { agent_id: agentId, agent_name: name = agentId, owner_email: ownerEmail = null, platform = null } = body
    const now = app.clock.now()
    const isNew = await insertEnrolment(db, { agentId, name, ownerEmail, platform }, now)
    const enrolment = await findEnrolment(db, agentId)
    if (enrolment === undefined) throw notEnrolled(agentId)
    const { score } = scoreOf(enrolment.counters, ageInDays(enrolment.enrolledAt, now))
    const message = isNew ? `Agent registered. Starting score: ${score}.` : 'already enrolled'
    return { ok: true, agent_id: agentId, score, message }
  },

  async getScore({ db, query }) {
    const agentId = query.agent_id
    const file = await findCreditFile(db, { agentId, mostAccounts, mostReports })
    if (file === undefined) throw notEnrolled(agentId)
    return toScore(file, ageInDays(file.enrolledAt, app.clock.now()))
  },

  async recordCreditAccount({ db, body, caller }) {
    const partnerId = await requireFurnisher(app, db, caller)
    const { action, agent_id: agentId, platform, account_type: accountType, account_id: accountId } = body
    await requireForeignAgent(db, agentId, partnerId)
    if (action === 'open') {
      if (platform === undefined || accountType === undefined)
        throw fieldsRequired(action, { platform, account_type: accountType })
      const creditLimitCents = centsOrNull(body.credit_limit)
      const opened = await openAccount(app, db, { agentId, partnerId, platform, accountType, creditLimitCents })
      return { ok: true, agent_id: agentId, account_id: opened.accountId, status: 'open', new_score: opened.score }
    }
    if (accountId === undefined) throw fieldsRequired(action, { account_id: accountId })
    const score = await closeAccount(app, db, { agentId, partnerId, accountId })
    return { ok: true, agent_id: agentId, account_id: accountId, status: 'closed', new_score: score }
  },

  async reportBehavior({ db, body, caller }) {
    const partnerId = await requireFurnisher(app, db, caller)
    await requireForeignAgent(db, body.agent_id, partnerId)
    const { id, score } = await recordEvent(app, db, {
      agentId: body.agent_id,
      kind: body.report_type,
      amountCents: centsOrNull(body.amount),
      accountId: null,
      partnerId,
      reporterName: body.reporter_name,
      reporterPlatform: body.reporter_platform,
      notes: body.notes ?? null
    })
    return { ok: true, id, agent_id: body.agent_id, report_type: body.report_type, new_score: score }
  },

  async disputeReport({ db, params, body, caller }) {
    const id = Number(params.id)
    const { agentId, confirmBy, score } = await disputeReport(app, db, { id, userId: caller.userId, ...body })
    return {
      ok: true,
      id,
      agent_id: agentId,
      status: 'disputed',
      confirm_by: confirmBy.toISOString(),
      new_score: score
    }
  },

  async confirmReport({ db, params, caller }) {
    const partnerId = await requireFurnisher(app, db, caller)
    const id = Number(params.id)
    const { agentId, score } = await confirmReport(app, db, { id, partnerId })
    return { ok: true, id, agent_id: agentId, status: 'confirmed', new_score: score }
  }
})
