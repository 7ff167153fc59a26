import { sql, type RawBuilder } from 'kysely'
import { arrayText } from '../../plugins/database/array-text.ts'
import { prepared } from '../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import type { UsageInterval } from './period.ts'
import './tables.ts'

/** One thing that a partner's end-user did, as it is sent. */
export interface UsageEvent {
  partner_id: string
  event_type: 'user_signup' | 'account_link' | 'transaction'
  /** The partner's own id of its end-user. */
  user_id?: string | undefined
  /** Only of transactions: the size in US cents, zero or more. */
  amount_cents?: number | undefined
  /** Only of transactions. */
  category?: string | undefined
  /** Only of account links. */
  institution?: string | undefined
  /** When it happened, as RFC 3339 writes it; without it, when it was received. */
  occurred_at?: string | undefined
  /** The same id from the same partner counts once. */
  event_id?: string | undefined
}

/** A column for each field, with a place for each event; null where an event has no such field. */
const columnsOf = (events: UsageEvent[], receivedAt: Date) => ({
  partnerIds: arrayText(events.map((event) => event.partner_id)),
  types: arrayText(events.map((event) => event.event_type)),
  userIds: arrayText(events.map((event) => event.user_id ?? null)),
  amounts: arrayText(events.map(({ amount_cents: cents }) => (cents === undefined ? null : String(cents)))),
  categories: arrayText(events.map((event) => event.category ?? null)),
  institutions: arrayText(events.map((event) => event.institution ?? null)),
  // The database would round what is smaller than a microsecond, and read some spellings otherwise.
  times: arrayText(events.map(({ occurred_at: time }) => (time === undefined ? null : new Date(time).toISOString()))),
  eventIds: arrayText(events.map((event) => event.event_id ?? null)),
  receivedAt
})

interface StoreOutcome {
  stored: number
  missing: string[]
}

type Columns = ReturnType<typeof columnsOf>

const insert = (
  _db: Db,
  place: <Name extends keyof Columns>(name: Name) => RawBuilder<Columns[Name]>
) => sql<StoreOutcome>`
  with given as (
    select partner_id, event_type, user_id, amount_cents, category, institution, coalesce(occurred_at, ${place('receivedAt')}::timestamptz) as occurred_at, event_id, position
    from unnest(${place('partnerIds')}::text[], ${place('types')}::text[], ${place('userIds')}::text[], ${place('amounts')}::bigint[], ${place('categories')}::text[],
      ${place('institutions')}::text[], ${place('times')}::timestamptz[], ${place('eventIds')}::text[]) with ordinality
      as event (partner_id, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, position)
  ), missing as (
    select partner_id, position from (select partner_id, min(position) as position from given group by partner_id) as named
    where not exists (select from partners where partners.id = named.partner_id)
  ), stored as (
    insert into usage_events (partner_id, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, received_at)
    select partner_id, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, ${place('receivedAt')}::timestamptz from given
    where not exists (select from missing)
    order by partner_id, event_id, position
    on conflict (partner_id, event_id) where event_id is not null do nothing
    returning *
  ), placed as (
    select stored.*, unit, date_trunc(unit, occurred_at, 'UTC') as start from stored cross join (values ('day'), ('hour')) as units (unit)
  ), new_users as (
    insert into usage_users (partner_id, unit, start, user_id)
    select distinct partner_id, unit, start, user_id from placed where user_id is not null
    order by partner_id, unit, start, user_id
    on conflict do nothing
    returning partner_id, unit, start
  ), changes as (
    select partner_id, unit, start, (event_type = 'user_signup')::int as signup, (event_type = 'account_link')::int as link,
      (event_type = 'transaction')::int as transaction, coalesce(amount_cents, 0) as cents, 0 as new_user
    from placed
    union all
    select partner_id, unit, start, 0, 0, 0, 0, 1 from new_users
  ), intervals as (
    insert into usage_intervals as kept (partner_id, unit, start, user_signups, account_links, transactions, volume_cents, active_users)
    select partner_id, unit, start, sum(signup), sum(link), sum(transaction), sum(cents), sum(new_user) from changes
    group by partner_id, unit, start order by partner_id, unit, start
    on conflict (partner_id, unit, start) do update set
      user_signups = kept.user_signups + excluded.user_signups,
      account_links = kept.account_links + excluded.account_links,
      transactions = kept.transactions + excluded.transactions,
      volume_cents = kept.volume_cents + excluded.volume_cents,
      active_users = kept.active_users + excluded.active_users
    returning partner_id, unit, start
  ), categories as (
    insert into usage_categories as kept (partner_id, unit, start, category, transactions, volume_cents)
    select partner_id, unit, start, coalesce(category, ''), count(*), sum(coalesce(amount_cents, 0)) from placed
    where event_type = 'transaction' and (select count(*) from intervals) >= 0
    group by partner_id, unit, start, coalesce(category, '') order by partner_id, unit, start, coalesce(category, '')
    on conflict (partner_id, unit, start, category) do update set
      transactions = kept.transactions + excluded.transactions,
      volume_cents = kept.volume_cents + excluded.volume_cents
    returning 1
  ), institutions as (
    insert into usage_institutions as kept (partner_id, unit, start, institution, account_links)
    select partner_id, unit, start, coalesce(institution, ''), count(*) from placed
    where event_type = 'account_link' and (select count(*) from categories) >= 0
    group by partner_id, unit, start, coalesce(institution, '') order by partner_id, unit, start, coalesce(institution, '')
    on conflict (partner_id, unit, start, institution) do update set account_links = kept.account_links + excluded.account_links
  )
  select (select count(*) from stored) as stored, array(select partner_id from missing order by position) as missing`

const insertEvents = prepared<Columns>()(insert)

/**
 * Stores events and adds them to the sums of their days and hours, all in one statement whose text does not depend on how many there are. Of events with
 * the same partner and id only the first is stored.
 *
 * Every insert takes its rows in the order of their keys, and the tables are written one after the other, since each counts what the one before has
 * returned: two statements at the same time can wait for each other, but not in a circle.
 *
 * @returns how many were new, and which partners do not exist; if there is such a partner, nothing is stored.
 */
export const storeEvents = async (trx: Trx, events: UsageEvent[], receivedAt: Date): Promise<StoreOutcome> => {
  const [outcome] = await insertEvents(trx, columnsOf(events, receivedAt))
  if (outcome === undefined) throw new Error('The statement that stores usage events returned no row.')
  return outcome
}

/**
 * Records usage events in the transaction of what they tell of; those whose id was seen before are left out.
 *
 * @returns how many were new.
 * @throws Error when a partner does not exist.
 */
export const recordUsage = async (db: Trx, events: UsageEvent[], receivedAt: Date): Promise<number> => {
  if (events.length === 0) return 0
  const { stored, missing } = await storeEvents(db, events, receivedAt)
  if (missing.length > 0) throw new Error(`Usage was recorded for partners that do not exist: ${missing.join(', ')}.`)
  return stored
}

/** At most so many categories and so many institutions are answered, the largest ones. */
const mostNames = 500

/** The sums of one interval that has events. */
export interface IntervalSums {
  start: string
  user_signups: number
  account_links: number
  transactions: number
  volume_cents: number
  active_users: number
}

export interface UsageSums {
  intervals: IntervalSums[]
  /** Users who were active in any interval, each once. */
  active_users: number
  by_category: { category: string | null; transactions: number; volume_cents: number }[]
  by_institution: { institution: string | null; account_links: number }[]
}

/**
 * Reads the sums of a partner's intervals from `start` until before `end`, in one statement and so from one moment.
 *
 * Costs an index range of (intervals + names used in them + users active in each of them) rows, whatever the number of events was. The users dominate:
 * a year by day of 10,000 daily users is 3.7 million entries of one index.
 */
export const readUsage = async (
  db: Db,
  partnerId: string,
  unit: UsageInterval,
  start: Date,
  end: Date
): Promise<UsageSums> => {
  const inRange = sql`partner_id = ${partnerId} and unit = ${unit} and start >= ${start} and start < ${end}`
  const { rows } = await sql<UsageSums>`
    select
      (select coalesce(json_agg(row_to_json(interval) order by start), '[]') from (
        select start, user_signups, account_links, transactions, volume_cents, active_users from usage_intervals where ${inRange}
      ) as interval) as intervals,
      (select count(*) from (select distinct user_id from usage_users where ${inRange}) as users) as active_users,
      (select coalesce(json_agg(row_to_json(sums)), '[]') from (
        select nullif(category, '') as category, sum(transactions)::bigint as transactions, sum(volume_cents)::bigint as volume_cents
        from usage_categories where ${inRange}
        group by usage_categories.category order by 3 desc, 2 desc, usage_categories.category limit ${sql.lit(mostNames)}
      ) as sums) as by_category,
      (select coalesce(json_agg(row_to_json(sums)), '[]') from (
        select nullif(institution, '') as institution, sum(account_links)::bigint as account_links
        from usage_institutions where ${inRange}
        group by usage_institutions.institution order by 2 desc, usage_institutions.institution limit ${sql.lit(mostNames)}
      ) as sums) as by_institution`.execute(db)
  const [sums] = rows
  if (sums === undefined) throw new Error('The statement that reads usage answered no row.')
  return sums
}
