import { sql, type Selection } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Database, Db } from '../../../plugins/database/types.ts'
import { reportTypes, type ReportType } from '../history.ts'
import { enrolmentColumns, toEnrolment, type Enrolment } from './enrolments.ts'
import '../tables.ts'

const accountColumns = [
  'bureau_accounts.id',
  'bureau_accounts.platform',
  'account_type as accountType',
  'credit_limit_cents as creditLimitCents',
  'opened_at as openedAt'
] as const

/** The partner that reported, by its name on this server; both null for a report of this server. */
interface Furnisher {
  partnerId: string | null
  furnisherName: string | null
}

export type CreditAccount = Selection<Database, 'bureau_accounts', (typeof accountColumns)[number]> & Furnisher

const reportColumns = [
  'bureau_events.id',
  'kind',
  'amount_cents as amountCents',
  'reporter_name as reporterName',
  'reporter_platform as reporterPlatform',
  'state',
  'bureau_events.created_at as createdAt'
] as const

export type Report = Selection<Database, 'bureau_events', (typeof reportColumns)[number]> &
  Furnisher & { kind: ReportType }

/** The enrolment of an agent, with its open credit accounts and the reports on it, newest first. */
export interface CreditFile extends Enrolment {
  /** Without excluded ones. */
  accounts: CreditAccount[]
  /** Excluded ones too; without the events of credit accounts. */
  reports: Report[]
}

const creditFilesOf = prepared<{ agentId: string; mostAccounts: number; mostReports: number }>()((db, place) =>
  db
    .selectFrom('bureau_agents')
    .select(enrolmentColumns)
    .select((eb) => [
      jsonArrayFrom(
        eb
          .selectFrom('bureau_accounts')
          .innerJoin('partners', 'partners.id', 'bureau_accounts.partner_id')
          .select(accountColumns)
          .select(['partners.id as partnerId', 'partners.name as furnisherName'])
          .whereRef('bureau_accounts.agent_id', '=', 'bureau_agents.agent_id')
          .where('closed_at', 'is', null)
          .where('is_excluded', '=', sql.lit(false))
          .orderBy('bureau_accounts.id', 'desc')
          .limit(place('mostAccounts'))
      ).as('accounts'),
      jsonArrayFrom(
        eb
          .selectFrom('bureau_events')
          .leftJoin('partners', 'partners.id', 'bureau_events.partner_id')
          .select(reportColumns)
          .select(['partners.id as partnerId', 'partners.name as furnisherName'])
          .whereRef('bureau_events.agent_id', '=', 'bureau_agents.agent_id')
          .where('kind', 'in', [...reportTypes])
          .$narrowType<{ kind: ReportType }>()
          .orderBy('bureau_events.id', 'desc')
          .limit(place('mostReports'))
      ).as('reports')
    ])
    .where('agent_id', '=', place('agentId'))
)

/** Reads the credit file of an agent; undefined when it is not enrolled. */
export const findCreditFile = async (
  db: Db,
  limits: { agentId: string; mostAccounts: number; mostReports: number }
): Promise<CreditFile | undefined> => {
  const [row] = await creditFilesOf(db, limits)
  if (row === undefined) return undefined
  const { accounts, reports, ...enrolment } = row
  return {
    ...toEnrolment(enrolment),
    // In JSON, times are texts.
    accounts: accounts.map((account) => ({ ...account, openedAt: new Date(account.openedAt) })),
    reports: reports.map((report) => ({ ...report, createdAt: new Date(report.createdAt) }))
  }
}
