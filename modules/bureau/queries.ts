import { sql, type Selection } from 'kysely'
import { jsonArrayFrom } from 'kysely/helpers/postgres'
import { prepared } from '../../plugins/database/prepared.ts'
import { toRow, type FieldsOf } from '../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../plugins/database/types.ts'
import { effectOf, reportTypes, type ReportType } from './history.ts'
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

type NewEnrolment = Pick<FieldsOf<'bureau_agents'>, 'agentId' | 'name' | 'ownerEmail' | 'platform'>

/** Enrols an agent. @returns false when it was enrolled before; then nothing changes */
export const insertEnrolment = async (trx: Trx, enrolment: NewEnrolment, now: Date): Promise<boolean> => {
  const row = await trx
    .insertInto('bureau_agents')
    .values({ ...toRow(enrolment), enrolled_at: now })
    .onConflict((conflict) => conflict.column('agent_id').doNothing())
    .returning('agent_id')
    .executeTakeFirst()
  return row !== undefined
}

export type NewEvent = Omit<FieldsOf<'bureau_events'>, 'id' | 'createdAt'>

/**
 * Adds an event to the history and its effect to the counters. The update locks the agent's row, so the history has the order of the updates.
 * @returns the agent with its new counters; undefined, with nothing written, when it is not enrolled
 */
export const insertEvent = async (trx: Trx, event: NewEvent, now: Date): Promise<Enrolment | undefined> => {
  const effect = effectOf(event)
  const row = await trx
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
    .executeTakeFirst()
  if (row === undefined) return undefined
  await trx
    .insertInto('bureau_events')
    .values({ ...toRow(event), created_at: now })
    .execute()
  return toEnrolment(row)
}

export type NewAccount = Omit<FieldsOf<'bureau_accounts'>, 'id' | 'openedAt' | 'closedAt'>

/** Opens a credit account of an enrolled agent. */
export const insertAccount = async (trx: Trx, account: NewAccount, now: Date): Promise<number> => {
  const opened = trx.insertInto('bureau_accounts').values({ ...toRow(account), opened_at: now })
  return (await opened.returning('id').executeTakeFirstOrThrow()).id
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
export const readHistory = async (db: Db, agentId: string, afterId: number, limit: number) =>
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

/** A stored event with its reporter. */
export type RecordedEvent = Awaited<ReturnType<typeof readHistory>>[number]

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
