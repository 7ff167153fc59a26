import type { Trx } from '../../plugins/database/types.ts'
import { notFound, validationFailed } from '../../plugins/http/errors/kinds.ts'
import { toCents } from '../../plugins/money.ts'
import { alreadyClosed, notEnrolled } from './errors.ts'
import { findEnrolment, insertAccount, lockAccount, markClosed } from './queries.ts'
import { tell, type Reporting } from './reporting.ts'

const requireFields = (body: object, fields: string[], action: string): void => {
  const errors = fields
    .filter((field) => !(field in body))
    .map((field) => ({ path: `body/${field}`, message: `is required when action is ${action}` }))
  if (errors.length === 0) return
  const paths = errors.map(({ path }) => path).join(', ')
  throw validationFailed(`The request has ${errors.length} invalid field${errors.length === 1 ? '' : 's'}: ${paths}.`, {
    errors
  })
}

interface Opening {
  agent_id: string
  platform?: string
  account_type?: string
  credit_limit?: number
}

/** Records that an agent opened an account with the furnisher. */
export const openAccount = async (app: Reporting, trx: Trx, partnerId: string, body: Opening) => {
  requireFields(body, ['platform', 'account_type'], 'open')
  const { agent_id: agentId, platform = '', account_type: accountType = '' } = body
  const creditLimitCents = body.credit_limit === undefined ? null : toCents(body.credit_limit)
  const accountId = await insertAccount(
    trx,
    { agentId, partnerId, platform, accountType, creditLimitCents },
    app.clock.now()
  )
  if (accountId === undefined) throw notEnrolled(agentId)
  const event = { agentId, kind: 'credit_account_open' as const, amountCents: creditLimitCents, accountId, partnerId }
  const score = await tell(app, trx, { ...event, reporterName: platform, reporterPlatform: platform, notes: null })
  return { ok: true as const, agent_id: agentId, account_id: accountId, status: 'open' as const, new_score: score }
}

/** Records that an agent closed an account that this furnisher opened. */
export const closeAccount = async (
  app: Reporting,
  trx: Trx,
  partnerId: string,
  body: { agent_id: string; account_id?: number }
) => {
  requireFields(body, ['account_id'], 'close')
  const { agent_id: agentId, account_id: accountId = 0 } = body
  if ((await findEnrolment(trx, agentId)) === undefined) throw notEnrolled(agentId)
  const account = await lockAccount(trx, accountId, agentId, partnerId)
  if (account === undefined) throw notFound(`You opened no account ${accountId} for the agent ${agentId}.`)
  if (account.closed_at !== null)
    throw alreadyClosed(`Account ${accountId} was closed on ${account.closed_at.toISOString().slice(0, 10)}.`)
  await markClosed(trx, accountId, app.clock.now())
  const event = {
    agentId,
    kind: 'credit_account_close' as const,
    amountCents: account.credit_limit_cents,
    accountId,
    partnerId
  }
  const score = await tell(app, trx, {
    ...event,
    reporterName: account.platform,
    reporterPlatform: account.platform,
    notes: null
  })
  return { ok: true as const, agent_id: agentId, account_id: accountId, status: 'closed' as const, new_score: score }
}
