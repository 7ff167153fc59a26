import { sql } from 'kysely'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { combine, effectOf, noCounters, reportTypes, summedKinds, type EventKind, type ReportType } from '../history.ts'
import type { Counters } from '../score.ts'
import { addToCounters, enrolmentColumns, toEnrolment, type Enrolment } from './enrolments.ts'
import '../tables.ts'

export type NewEvent = Omit<FieldsOf<'bureau_events'>, 'id' | 'createdAt' | 'state' | 'disputedAt' | 'disputeReason'>

/**
 * Adds an event to the history and its effect to the counters. The update locks the agent's row, so the history has the order of the updates.
 * @returns the event's id, and the agent with its new counters; undefined, with nothing written, when it is not enrolled
 */
export const insertEvent = async (
  trx: Trx,
  event: NewEvent,
  now: Date
): Promise<{ id: number; enrolment: Enrolment } | undefined> => {
  const enrolment = await addToCounters(trx, event.agentId, effectOf(event))
  if (enrolment === undefined) return undefined
  const inserted = trx.insertInto('bureau_events').values({ ...toRow(event), created_at: now })
  const { id } = await inserted.returning('id').executeTakeFirstOrThrow()
  return { id, enrolment }
}

const selectReport = (db: Db, id: number) =>
  db
    .selectFrom('bureau_events')
    .select([
      'id',
      'agent_id as agentId',
      'kind',
      'amount_cents as amountCents',
      'partner_id as partnerId',
      'state',
      'disputed_at as disputedAt'
    ])
    .where('id', '=', id)
    .where('kind', 'in', [...reportTypes])
    .$narrowType<{ kind: ReportType }>()

/** A report; undefined also for the id of an event of a credit account. */
export const findReport = async (db: Db, id: number) => await selectReport(db, id).executeTakeFirst()

export type StoredReport = NonNullable<Awaited<ReturnType<typeof findReport>>>

/** Locks a report. Lock the agent's enrolment first. */
export const lockReport = async (trx: Trx, id: number): Promise<StoredReport> =>
  await selectReport(trx, id).forNoKeyUpdate().executeTakeFirstOrThrow()

/** Changes the state of a report; the counters are the caller's to change. */
export const updateReport = async (
  trx: Trx,
  id: number,
  changes: Partial<Pick<FieldsOf<'bureau_events'>, 'state' | 'disputedAt' | 'disputeReason'>>
): Promise<void> => {
  await trx.updateTable('bureau_events').set(toRow(changes)).where('id', '=', id).execute()
}

const dropBatch = 1_000

/** Drops disputed reports that were not confirmed: those disputed at `before` or earlier, at most 1,000. @returns how many */
export const dropDisputed = async (db: Db, before: Date): Promise<number> => {
  const { numAffectedRows } = await sql`
    update bureau_events set state = 'dropped' where id = any(array(
      select id from bureau_events where state = 'disputed' and disputed_at <= ${before}::timestamptz
      order by disputed_at limit ${sql.lit(dropBatch)} for update skip locked))`.execute(db)
  return Number(numAffectedRows ?? 0)
}

/** Events of one kind together. */
interface EventSum {
  kind: EventKind
  times: number
  /** Zero for kinds whose amounts no counter adds up, however large those are. */
  amountCents: number
}

const eventSum = sql`kind, count(*)::integer as times,
  coalesce(sum(amount_cents) filter (where kind = any(${sql.lit(`{${summedKinds.join(',')}}`)}::text[])), 0)::bigint as "amountCents"`

const addUp = (sums: EventSum[]): Counters =>
  sums.reduce((counters, { times, ...events }) => combine(counters, effectOf(events, times)), noCounters)

/**
 * Excludes all events of an agent by these partners. Lock the agent's enrolment first.
 * @returns what those that counted had added to the counters
 */
export const excludeEvents = async (trx: Trx, agentId: string, partnerIds: string[]): Promise<Counters> => {
  const { rows } = await sql<EventSum>`
    with found as (
      select id, state from bureau_events
      where agent_id = ${agentId} and partner_id = any(${partnerIds}::text[]) and state <> 'own_agent'
      for no key update
    ), excluded as (
      update bureau_events set state = 'own_agent' from found where bureau_events.id = found.id
      returning kind, amount_cents, found.state as before
    )
    select ${eventSum} from excluded where before in ('counted', 'confirmed') group by kind`.execute(trx)
  return addUp(rows)
}

/**
 * An enrolment together with what the agent's disputed reports would add to its counters if they were confirmed. One statement, because a report that changes its state
 * between two would count in both or in neither.
 */
export const findWithDisputed = async (
  db: Db,
  agentId: string
): Promise<(Enrolment & { disputed: Counters }) | undefined> => {
  const row = await db
    .selectFrom('bureau_agents')
    .select(enrolmentColumns)
    .select(
      sql<EventSum[]>`(select coalesce(json_agg(row_to_json(sums)), '[]') from (
        select ${eventSum} from bureau_events
        where agent_id = bureau_agents.agent_id and state = 'disputed' group by kind
      ) sums)`.as('disputed')
    )
    .where('agent_id', '=', agentId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const { disputed, ...enrolment } = row
  return { ...toEnrolment(enrolment), disputed: addUp(disputed) }
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
      'state',
      'created_at as createdAt'
    ])
    .where('agent_id', '=', agentId)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .execute()

/** A stored event with its reporter. */
export type RecordedEvent = Awaited<ReturnType<typeof readHistory>>[number]
