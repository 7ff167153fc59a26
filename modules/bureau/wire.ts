import { fromCents } from '../../plugins/money.ts'
import type { CreditAccount, CreditFile, Report } from './queries/credit-files.ts'
import { scoreOf, scoreVersion } from './score.ts'
import { exclusionOf } from './states.ts'

const toCredits = (amountCents: number | null): number | null => (amountCents === null ? null : fromCents(amountCents))

/** The partner that reported; null for this server itself. */
const toFurnisher = ({ partnerId, furnisherName }: Pick<Report, 'partnerId' | 'furnisherName'>) =>
  partnerId === null || furnisherName === null ? null : { partner_id: partnerId, name: furnisherName }

const toCreditAccount = (account: CreditAccount) => ({
  account_id: account.id,
  platform: account.platform,
  account_type: account.accountType,
  credit_limit: toCredits(account.creditLimitCents),
  furnisher: toFurnisher(account),
  opened_at: account.openedAt.toISOString()
})

const toReport = (report: Report) => ({
  id: report.id,
  report_type: report.kind,
  amount: toCredits(report.amountCents),
  reporter_name: report.reporterName,
  reporter_platform: report.reporterPlatform,
  furnisher: toFurnisher(report),
  excluded: exclusionOf(report.state),
  created_at: report.createdAt.toISOString()
})

export const toScore = ({ agentId, counters, accounts, reports }: CreditFile, ageDays: number) => {
  const { onTime, late, missed } = counters
  const { score, grade, factors } = scoreOf(counters, ageDays)
  return {
    agent_id: agentId,
    score,
    grade,
    account_age_days: ageDays,
    payment_history: { on_time: onTime, late, missed },
    accounts: accounts.map(toCreditAccount),
    recent_reports: reports.map(toReport),
    factors,
    score_version: scoreVersion
  }
}
