import type { FastifyInstance } from 'fastify'
import { fromCents, toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/bureau.ts'
import { closeAccount, openAccount } from './accounts.ts'
import { notEnrolled, selfReport } from './errors.ts'
import { findEnrolment, insertEnrolment, listOpenAccounts, listReports } from './queries.ts'
import { tell } from './reporting.ts'
import { ageInDays, scoreOf, scoreVersion } from './score.ts'

const mostAccounts = 100
const mostReports = 20

const creditsOrNull = (amountCents: number | null): number | null =>
  amountCents === null ? null : fromCents(amountCents)

/** The partner that reports. An agent is admitted by the specification only to be told why it cannot. */
const furnisherOf = (caller: { kind: 'agent_key' } | { kind: 'partner_key' | 'token'; partnerId: string }): string => {
  if (caller.kind === 'agent_key')
    throw selfReport('Agents cannot report. A furnisher reports with a partner key or a token with bureau:write.')
  return caller.partnerId
}

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  return {
    async enrollAgent({ db, body }) {
      const { agent_id: agentId, agent_name: name = agentId, owner_email: ownerEmail = null, platform = null } = body
      const now = app.clock.now()
      const isNew = await insertEnrolment(db, { agentId, name, ownerEmail, platform }, now)
      const enrolment = await findEnrolment(db, agentId)
      if (enrolment === undefined) throw notEnrolled(agentId)
      const { score } = scoreOf(enrolment.counters, ageInDays(enrolment.enrolledAt, now))
      return {
        ok: true,
        agent_id: agentId,
        score,
        message: isNew ? `Agent registered. Starting score: ${score}.` : 'already enrolled'
      }
    },

    async getScore({ db, query }) {
      const agentId = query.agent_id
      const [enrolment, accounts, reports] = await Promise.all([
        findEnrolment(db, agentId),
        listOpenAccounts(db, { agentId, limit: mostAccounts }),
        listReports(db, { agentId, limit: mostReports })
      ])
      if (enrolment === undefined) throw notEnrolled(agentId)
      const ageDays = ageInDays(enrolment.enrolledAt, app.clock.now())
      const { onTime, late, missed } = enrolment.counters
      const { score, grade, factors } = scoreOf(enrolment.counters, ageDays)
      return {
        agent_id: agentId,
        score,
        grade,
        account_age_days: ageDays,
        payment_history: { on_time: onTime, late, missed },
        accounts: accounts.map((account) => ({
          account_id: account.id,
          platform: account.platform,
          account_type: account.account_type,
          credit_limit: creditsOrNull(account.credit_limit_cents),
          opened_at: account.opened_at.toISOString()
        })),
        recent_reports: reports.map((report) => ({
          report_type: report.kind,
          amount: creditsOrNull(report.amount_cents),
          reporter_name: report.reporter_name,
          reporter_platform: report.reporter_platform,
          created_at: report.created_at.toISOString()
        })),
        factors,
        score_version: scoreVersion
      }
    },

    async recordCreditAccount({ db, body, caller }) {
      const partnerId = furnisherOf(caller)
      return body.action === 'open'
        ? await openAccount(app, db, partnerId, body)
        : await closeAccount(app, db, partnerId, body)
    },

    async reportBehavior({ db, body, caller }) {
      const partnerId = furnisherOf(caller)
      const score = await tell(app, db, {
        agentId: body.agent_id,
        kind: body.report_type,
        amountCents: body.amount === undefined ? null : toCents(body.amount),
        accountId: null,
        partnerId,
        reporterName: body.reporter_name,
        reporterPlatform: body.reporter_platform,
        notes: body.notes ?? null
      })
      return { ok: true, agent_id: body.agent_id, report_type: body.report_type, new_score: score }
    }
  }
}
