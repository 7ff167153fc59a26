import type { Trx } from '../../plugins/database/types.ts'
import { accountNotFound, alreadyClosed, notEnrolled, selfReport } from './errors.ts'
import { insertAccount, lockAccount, markClosed, type NewAccount } from './queries/accounts.ts'
import { findEnrolment } from './queries/enrolments.ts'
import { recordEvent, type Reporting } from './reporting.ts'

/**
 * Records that an agent opened an account with the furnisher.
 * @returns the account and the agent's new score
 * @throws ProblemError 404 `not_enrolled`
 */
export const openAccount = async (
  app: Reporting,
  trx: Trx,
  account: NewAccount
): Promise<{ accountId: number; score: number }> => {
  const { agentId, partnerId, platform, creditLimitCents } = account
  if ((await findEnrolment(trx, agentId)) === undefined) throw notEnrolled(agentId)
  const accountId = await insertAccount(trx, account, app.clock.now())
  const { score } = await recordEvent(app, trx, {
    agentId,
    kind: 'credit_account_open',
    amountCents: creditLimitCents,
    accountId,
    partnerId,
    reporterName: platform,
    reporterPlatform: platform,
    notes: null
  })
  return { accountId, score }
}

/**
 * Records that an agent closed an account that this furnisher opened.
 * @returns the agent's new score
 * @throws ProblemError 404 `not_enrolled` or `not_found`, 403 `self_report` for an excluded account, 409 `already_closed`
 */
export const closeAccount = async (
  app: Reporting,
  trx: Trx,
  { agentId, partnerId, accountId }: { agentId: string; partnerId: string; accountId: number }
): Promise<number> => {
  if ((await findEnrolment(trx, agentId)) === undefined) throw notEnrolled(agentId)
  const account = await lockAccount(trx, accountId, agentId, partnerId)
  if (account === undefined) throw accountNotFound(accountId, agentId)
  if (account.isExcluded) throw selfReport('owner')
  if (account.closedAt !== null) throw alreadyClosed(accountId, account.closedAt)
  await markClosed(trx, accountId, app.clock.now())
  const { score } = await recordEvent(app, trx, {
    agentId,
    kind: 'credit_account_close',
    amountCents: account.creditLimitCents,
    accountId,
    partnerId,
    reporterName: account.platform,
    reporterPlatform: account.platform,
    notes: null
  })
  return score
}
