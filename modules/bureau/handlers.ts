import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { notFound, validationFailed } from '../../plugins/errors/kinds.ts'
import { fromCents, toCents } from '../../plugins/money.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/bureau.ts'
import { alreadyClosed, selfReport } from './errors.ts'
import { closeAccount, findEnrolment, insertAccount, insertEnrolment, listOpenAccounts, listReports, lockAccount } from './queries.ts'
import { notEnrolled, tell } from './reporting.ts'
import { ageInDays, scoreOf, scoreVersion } from './score.ts'

const mostAccounts = 100
const mostReports = 20

const centsOrNull = (amount: number | undefined): number | null => (amount === undefined ? null : toCents(amount))
const creditsOrNull = (amountCents: number | null): number | null => (amountCents === null ? null : fromCents(amountCents))

/** The partner that reports. An agent is admitted by the specification only to be told why it cannot. */
const furnisherOf = (caller: { kind: 'agent_key' } | { kind: 'partner_key' | 'token'; partnerId: string }): string => {
  if (caller.kind === 'agent_key') throw selfReport('Agents cannot report. A furnisher reports with a partner key or a token with bureau:write.')
  return caller.partnerId
}

const requireFields = (body: object, fields: string[], action: string): void => {
  const errors = fields.filter((field) => !(field in body)).map((field) => ({ path: `body/${field}`, message: `is required when action is ${action}` }))
  if (errors.length === 0) return
  const paths = errors.map(({ path }) => path).join(', ')
  throw validationFailed(`The request has ${errors.length} invalid field${errors.length === 1 ? '' : 's'}: ${paths}.`, { errors })
}

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => {
  const open = async (trx: Trx, partnerId: string, body: { agent_id: string; platform?: string; account_type?: string; credit_limit?: number }) => {
    requireFields(body, ['platform', 'account_type'], 'open')
    const { agent_id: agentId, platform = '', account_type: accountType = '' } = body
    const creditLimitCents = centsOrNull(body.credit_limit)
    const accountId = await insertAccount(trx, { agentId, partnerId, platform, accountType, creditLimitCents }, app.clock.now())
    if (accountId === undefined) throw notEnrolled(agentId)
    const event = { agentId, kind: 'credit_account_open' as const, amountCents: creditLimitCents, accountId, partnerId }
    const score = await tell(app, trx, { ...event, reporterName: platform, reporterPlatform: platform, notes: null })
    return { ok: true as const, agent_id: agentId, account_id: accountId, status: 'open' as const, new_score: score }
  }

  const close = async (trx: Trx, partnerId: string, body: { agent_id: string; account_id?: number }) => {
    requireFields(body, ['account_id'], 'close')
    const { agent_id: agentId, account_id: accountId = 0 } = body
    if ((await findEnrolment(trx, agentId)) === undefined) throw notEnrolled(agentId)
    const account = await lockAccount(trx, accountId, agentId, partnerId)
    if (account === undefined) throw notFound(`You opened no account ${accountId} for the agent ${agentId}.`)
    if (account.closed_at !== null) throw alreadyClosed(`Account ${accountId} was closed on ${account.closed_at.toISOString().slice(0, 10)}.`)
    await closeAccount(trx, accountId, app.clock.now())
    const event = { agentId, kind: 'credit_account_close' as const, amountCents: account.credit_limit_cents, accountId, partnerId }
    const score = await tell(app, trx, { ...event, reporterName: account.platform, reporterPlatform: account.platform, notes: null })
    return { ok: true as const, agent_id: agentId, account_id: accountId, status: 'closed' as const, new_score: score }
  }

  return {
    async enrollAgent({ db, body }) {
      const { agent_id: agentId, agent_name: name = agentId, owner_email: ownerEmail = null, platform = null } = body
      const now = app.clock.now()
      const isNew = await insertEnrolment(db, { agentId, name, ownerEmail, platform }, now)
      const enrolment = await findEnrolment(db, agentId)
      if (enrolment === undefined) throw notEnrolled(agentId)
      const { score } = scoreOf(enrolment.counters, ageInDays(enrolment.enrolledAt, now))
      return { ok: true, agent_id: agentId, score, message: isNew ? `Agent registered. Starting score: ${score}.` : 'already enrolled' }
    },

    async getScore({ db, query }) {
      const agentId = query.agent_id
      const enrolment = await findEnrolment(db, agentId)
      if (enrolment === undefined) throw notEnrolled(agentId)
      const [accounts, reports] = await Promise.all([listOpenAccounts(db, agentId, mostAccounts), listReports(db, agentId, mostReports)])
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
      return body.action === 'open' ? await open(db, partnerId, body) : await close(db, partnerId, body)
    },

    async reportBehavior({ db, body, caller }) {
      const partnerId = furnisherOf(caller)
      const score = await tell(app, db, {
        agentId: body.agent_id,
        kind: body.report_type,
        amountCents: centsOrNull(body.amount),
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
