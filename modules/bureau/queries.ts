import { sql, type Selection } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { prepared } from '../../plugins/database/prepared.ts'
import type { Database, Db, Trx } from '../../plugins/database/types.ts'
import type { RecordedEvent } from './explanation.ts'
import { effectOf, reportTypes, type EventKind, type ReportType } from './history.ts'
import type { Counters } from './score.ts'
import './tables.ts'

export interface Enrolment {
  agentId: string
  enrolledAt: Date
  counters: Counters
}

const enrolmentColumns = [
  'agent_id as agentId',
  'enrolled_at as enrolledAt',
  'on_time as onTime',
  'late',
  'missed',
  'disputes',
  'open_accounts as openAccounts',
  'open_limits_cents as openLimitsCents',
  'debt_closed_cents as debtClosedCents'
] as const

const toEnrolment = ({ agentId, enrolledAt, ...counters }: Omit<Enrolment, 'counters'> & Counters): Enrolment => ({
  agentId,
  enrolledAt,
  counters
})

const enrolmentsOf = prepared<{ agentId: string }>()((db, place) =>
  db.selectFrom('bureau_agents').select(enrolmentColumns).where('agent_id', '=', place('agentId'))
)

export const findEnrolment = async (db: Db, agentId: string): Promise<Enrolment | undefined> => {
  const [row] = await enrolmentsOf(db, { agentId })
  return row === undefined ? undefined : toEnrolment(row)
}

export interface NewEnrolment {
  agentId: string
  name: string
  ownerEmail: string | null
  platform: string | null
}

/** Enrols an agent. @returns false when it was enrolled before; then nothing changes */
export const insertEnrolment = async (
  trx: Trx,
  { agentId, name, ownerEmail, platform }: NewEnrolment,
  now: Date
): Promise<boolean> => {
  const row = await trx
    .insertInto('bureau_agents')
    .values({ agent_id: agentId, name, owner_email: ownerEmail, platform, enrolled_at: now })
    .onConflict((conflict) => conflict.column('agent_id').doNothing())
    .returning('agent_id')
    .executeTakeFirst()
  return row !== undefined
}

export interface NewEvent {
  agentId: string
  kind: EventKind
  amountCents: number | null
  accountId: number | null
  /** The furnisher; null for reports of this server. */
  partnerId: string | null
  reporterName: string
  reporterPlatform: string
  notes: string | null
}

/**
 * Adds an event to the history and its effect to the counters in one statement. The update locks the agent's row, so the history has the order of the updates.
 * @returns the agent with its new counters; undefined, with nothing written, when it is not enrolled
 */
export const insertEvent = async (trx: Trx, event: NewEvent, now: Date): Promise<Enrolment | undefined> => {
  const effect = effectOf(event)
  const row = await trx
    .with('counted', (db) =>
      db
        .updateTable('bureau_agents')
        .set((eb) => ({
          on_time: eb('on_time', '+', effect.onTime),
          late: eb('late', '+', effect.late),
          missed: eb('missed', '+', effect.missed),
          disputes: eb('disputes', '+', effect.disputes),
          open_accounts: eb('open_accounts', '+', effect.openAccounts),
          open_limits_cents: eb('open_limits_cents', '+', effect.openLimitsCents),
          debt_closed_cents: eb('debt_closed_cents', '+', effect.debtClosedCents)
        }))
        .where('agent_id', '=', event.agentId)
        .returning(enrolmentColumns)
    )
    .with('recorded', (db) =>
      db
        .insertInto('bureau_events')
        .columns([
          'agent_id',
          'kind',
          'amount_cents',
          'account_id',
          'partner_id',
          'reporter_name',
          'reporter_platform',
          'notes',
          'created_at'
        ])
        .expression((eb) =>
          eb
            .selectFrom('counted')
            .select([
              'counted.agentId',
              sql<EventKind>`${event.kind}::text`.as('kind'),
              sql<number | null>`${event.amountCents}::bigint`.as('amount_cents'),
              sql<number | null>`${event.accountId}::bigint`.as('account_id'),
              sql<string | null>`${event.partnerId}::text`.as('partner_id'),
              sql<string>`${event.reporterName}::text`.as('reporter_name'),
              sql<string>`${event.reporterPlatform}::text`.as('reporter_platform'),
              sql<string | null>`${event.notes}::text`.as('notes'),
              sql<Date>`${now}::timestamptz`.as('created_at')
            ])
        )
    )
    .selectFrom('counted')
    .selectAll()
    .executeTakeFirst()
  return row === undefined ? undefined : toEnrolment(row)
}

export interface NewAccount {
  agentId: string
  partnerId: string
  platform: string
  accountType: string
  creditLimitCents: number | null
}

/** Opens a credit account; undefined when the agent is not enrolled. */
export const insertAccount = async (trx: Trx, account: NewAccount, now: Date): Promise<number | undefined> => {
  const row = await trx
    .insertInto('bureau_accounts')
    .columns(['agent_id', 'partner_id', 'platform', 'account_type', 'credit_limit_cents', 'opened_at'])
    .expression((eb) =>
      eb
        .selectFrom('bureau_agents')
        .select([
          'bureau_agents.agent_id',
          sql<string>`${account.partnerId}::text`.as('partner_id'),
          sql<string>`${account.platform}::text`.as('platform'),
          sql<string>`${account.accountType}::text`.as('account_type'),
          sql<number | null>`${account.creditLimitCents}::bigint`.as('credit_limit_cents'),
          sql<Date>`${now}::timestamptz`.as('opened_at')
        ])
        .where('bureau_agents.agent_id', '=', account.agentId)
    )
    .returning('id')
    .executeTakeFirst()
  return row?.id
}

/** Locks an account of the agent and the furnisher, so that concurrent closings run one after the other. */
export const lockAccount = async (trx: Trx, id: number, agentId: string, partnerId: string) =>
  await trx
    .selectFrom('bureau_accounts')
    .select(['platform', 'credit_limit_cents as creditLimitCents', 'closed_at as closedAt'])
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .where('partner_id', '=', partnerId)
    .forUpdate()
    .executeTakeFirst()

export const markClosed = async (trx: Trx, id: number, now: Date): Promise<void> => {
  await trx.updateTable('bureau_accounts').set({ closed_at: now }).where('id', '=', id).execute()
}

const accountColumns = [
  'id',
  'bureau_accounts.platform',
  'account_type as accountType',
  'credit_limit_cents as creditLimitCents',
  'opened_at as openedAt'
] as const

export type CreditAccount = Selection<Database, 'bureau_accounts', (typeof accountColumns)[number]>

const reportColumns = [
  'kind',
  'amount_cents as amountCents',
  'reporter_name as reporterName',
  'reporter_platform as reporterPlatform',
  'created_at as createdAt'
] as const

export type Report = Selection<Database, 'bureau_events', (typeof reportColumns)[number]> & { kind: ReportType }

/** The enrolment of an agent, with its open credit accounts and the reports on it, newest first. */
export interface CreditFile extends Enrolment {
  accounts: CreditAccount[]
  /** Without the events of credit accounts. */
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
          .select(accountColumns)
          .whereRef('bureau_accounts.agent_id', '=', 'bureau_agents.agent_id')
          .where('closed_at', 'is', null)
          .orderBy('id', 'desc')
          .limit(place('mostAccounts'))
      ).as('accounts'),
      jsonArrayFrom(
        eb
          .selectFrom('bureau_events')
          .select(reportColumns)
          .whereRef('bureau_events.agent_id', '=', 'bureau_agents.agent_id')
          .where('kind', 'in', [...reportTypes])
          .$narrowType<{ kind: ReportType }>()
          .orderBy('id', 'desc')
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

/** The events of an agent after `afterId`, oldest first. */
export const readHistory = async (db: Db, agentId: string, afterId: number, limit: number): Promise<RecordedEvent[]> =>
  await db
    .selectFrom('bureau_events')
    .select([
      'id',
      'kind',
      'amount_cents as amountCents',
      'account_id as accountId',
      'reporter_name as reporterName',
      'reporter_platform as reporterPlatform',
      'notes',
      'created_at as createdAt'
    ])
    .where('agent_id', '=', agentId)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()

/** At most 20 agents whose counters differ from a full count of their history and accounts. */
export const findMiscounted = async (db: Db): Promise<string[]> => {
  // Independent of `effectOf`, so that each finds mistakes in the other; one statement, so that it reads one snapshot.
  const { rows } = await sql<{ agent_id: string }>`
    select agent.agent_id
    from bureau_agents agent
    left join (
      select agent_id,
        count(*) filter (where kind = 'payment_ontime') as on_time,
        count(*) filter (where kind = 'payment_late') as late,
        count(*) filter (where kind = 'payment_missed') as missed,
        count(*) filter (where kind = 'dispute') as disputes,
        count(*) filter (where kind = 'account_opened') as opened_elsewhere,
        coalesce(sum(amount_cents) filter (where kind = 'debt_closed'), 0)::bigint as debt_closed_cents
      from bureau_events group by agent_id
    ) event on event.agent_id = agent.agent_id
    left join (
      select agent_id, count(*) as open, coalesce(sum(credit_limit_cents), 0)::bigint as limits_cents
      from bureau_accounts where closed_at is null group by agent_id
    ) account on account.agent_id = agent.agent_id
    where (agent.on_time, agent.late, agent.missed, agent.disputes, agent.debt_closed_cents, agent.open_accounts, agent.open_limits_cents)
      is distinct from (coalesce(event.on_time, 0), coalesce(event.late, 0), coalesce(event.missed, 0), coalesce(event.disputes, 0),
        coalesce(event.debt_closed_cents, 0), coalesce(event.opened_elsewhere, 0) + coalesce(account.open, 0), coalesce(account.limits_cents, 0))
    order by agent.agent_id
    limit 20`.execute(db)
  return rows.map((row) => row.agent_id)
}
