import { sql } from 'kysely'
import { prepared } from '../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { effectOf, reportTypes, type EventKind, type ReportType } from './history.ts'
import type { Counters } from './score.ts'
import './tables.ts'

export interface Enrolment {
  agentId: string
  enrolledAt: Date
  counters: Counters
}

interface CounterColumns {
  on_time: number
  late: number
  missed: number
  disputes: number
  open_accounts: number
  open_limits_cents: number
  debt_closed_cents: number
}

const counterColumns = [
  'on_time',
  'late',
  'missed',
  'disputes',
  'open_accounts',
  'open_limits_cents',
  'debt_closed_cents'
] as const

const enrolmentOf = (row: CounterColumns & { agent_id: string; enrolled_at: Date }): Enrolment => ({
  agentId: row.agent_id,
  enrolledAt: row.enrolled_at,
  counters: {
    onTime: row.on_time,
    late: row.late,
    missed: row.missed,
    disputes: row.disputes,
    openAccounts: row.open_accounts,
    openLimitsCents: row.open_limits_cents,
    debtClosedCents: row.debt_closed_cents
  }
})

const findAgents = prepared<{ agentId: string }>()((db, place) =>
  db
    .selectFrom('bureau_agents')
    .select(['agent_id', 'enrolled_at', ...counterColumns])
    .where('agent_id', '=', place('agentId'))
)

export const findEnrolment = async (db: Db, agentId: string): Promise<Enrolment | undefined> => {
  const [row] = await findAgents(db, { agentId })
  return row === undefined ? undefined : enrolmentOf(row)
}

export interface NewEnrolment {
  agentId: string
  name: string
  ownerEmail: string | null
  platform: string | null
}

/** Enrols an agent; false when it was enrolled before, and then nothing changes. */
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
  /** The furnisher; null for what this server reports itself. */
  partnerId: string | null
  reporterName: string
  reporterPlatform: string
  notes: string | null
}

/**
 * Adds an event to the history and its effect to the counters, in one statement; the history follows the order of the updates, since the event is
 * written by whoever holds the agent's row.
 * @returns the agent with its counters after the event; undefined, and nothing written, when it is not enrolled.
 */
export const addEvent = async (trx: Trx, event: NewEvent, now: Date): Promise<Enrolment | undefined> => {
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
        .returning(['agent_id', 'enrolled_at', ...counterColumns])
    )
    .with('told', (db) =>
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
              'counted.agent_id',
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
  return row === undefined ? undefined : enrolmentOf(row)
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

/** An account by whom it belongs to: locked, so that of two closings one sees the other. */
export const lockAccount = async (trx: Trx, id: number, agentId: string, partnerId: string) =>
  await trx
    .selectFrom('bureau_accounts')
    .select(['id', 'platform', 'credit_limit_cents', 'closed_at'])
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .where('partner_id', '=', partnerId)
    .forUpdate()
    .executeTakeFirst()

export const markClosed = async (trx: Trx, id: number, now: Date): Promise<void> => {
  await trx.updateTable('bureau_accounts').set({ closed_at: now }).where('id', '=', id).execute()
}

export const listOpenAccounts = prepared<{ agentId: string; limit: number }>()((db, place) =>
  db
    .selectFrom('bureau_accounts')
    .select(['id', 'platform', 'account_type', 'credit_limit_cents', 'opened_at'])
    .where('agent_id', '=', place('agentId'))
    .where('closed_at', 'is', null)
    .orderBy('id', 'desc')
    .limit(place('limit'))
)

export const listReports = prepared<{ agentId: string; limit: number }>()((db, place) =>
  db
    .selectFrom('bureau_events')
    .select(['kind', 'amount_cents', 'reporter_name', 'reporter_platform', 'created_at'])
    .where('agent_id', '=', place('agentId'))
    .where('kind', 'in', [...reportTypes])
    .$narrowType<{ kind: ReportType }>()
    .orderBy('id', 'desc')
    .limit(place('limit'))
)

/** A part of an agent's history, oldest first, of the events after `afterId`. */
export const readHistory = async (db: Db, agentId: string, afterId: number, limit: number) =>
  await db
    .selectFrom('bureau_events')
    .select(['id', 'kind', 'amount_cents', 'account_id', 'reporter_name', 'reporter_platform', 'notes', 'created_at'])
    .where('agent_id', '=', agentId)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()

/** The agents, 20 at most, whose counters are not what a full count of their history and accounts gives. */
export const findMiscounted = async (db: Db): Promise<string[]> => {
  // Written apart from `effectOf`, so that a mistake in one of the two is found by the other; one statement, so that it sees one moment.
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
    ) told on told.agent_id = agent.agent_id
    left join (
      select agent_id, count(*) as open, coalesce(sum(credit_limit_cents), 0)::bigint as limits_cents
      from bureau_accounts where closed_at is null group by agent_id
    ) account on account.agent_id = agent.agent_id
    where (agent.on_time, agent.late, agent.missed, agent.disputes, agent.debt_closed_cents, agent.open_accounts, agent.open_limits_cents)
      is distinct from (coalesce(told.on_time, 0), coalesce(told.late, 0), coalesce(told.missed, 0), coalesce(told.disputes, 0),
        coalesce(told.debt_closed_cents, 0), coalesce(told.opened_elsewhere, 0) + coalesce(account.open, 0), coalesce(account.limits_cents, 0))
    order by agent.agent_id
    limit 20`.execute(db)
  return rows.map((row) => row.agent_id)
}

/** When the counters were checked last; undefined before the first time. */
export const lastCheckAt = async (db: Db, name: string): Promise<Date | undefined> =>
  (await db.selectFrom('check_results').select('at').where('name', '=', name).executeTakeFirst())?.at

/** Keeps the result of a check where health reads it. */
export const storeCheck = async (
  db: Db,
  name: string,
  result: { status: 'ok' | 'failed'; detail: string; at: Date }
): Promise<void> => {
  await db
    .insertInto('check_results')
    .values({ name, ...result })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(result))
    .execute()
}
