import { sql } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { isVisibleTo, type Viewer } from '../../../plugins/access/viewer.ts'
import { arrayText } from '../../../plugins/database/array-text.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { Period, UsageInterval } from '../period.ts'
import '../tables.ts'

/** An action of a partner's end-user. */
export interface UsageEvent {
  partnerId: string
  /** Defaults to that of the partner: live when it is enabled for production, else test. */
  environment?: Environment | undefined
  type: 'user_signup' | 'account_link' | 'transaction'
  /** The partner's id of its end-user. */
  userId?: string | undefined
  /** Only for transactions: the amount in US cents, zero or more. */
  amountCents?: number | undefined
  /** Only for transactions. */
  category?: string | undefined
  /** Only for account links. */
  institution?: string | undefined
  /** RFC 3339; defaults to the time of receipt. */
  occurredAt?: string | undefined
  /** Events of a partner's environment with the same id count once. */
  eventId?: string | undefined
}

/** One array per column with one element per event; null for a missing field. */
const columnsOf = (events: UsageEvent[], receivedAt: Date) => ({
  partnerIds: arrayText(events.map((event) => event.partnerId)),
  environments: arrayText(events.map((event) => event.environment ?? null)),
  types: arrayText(events.map((event) => event.type)),
  userIds: arrayText(events.map((event) => event.userId ?? null)),
  amounts: arrayText(events.map(({ amountCents }) => (amountCents === undefined ? null : String(amountCents)))),
  categories: arrayText(events.map((event) => event.category ?? null)),
  institutions: arrayText(events.map((event) => event.institution ?? null)),
  // PostgreSQL would round fractions of microseconds and parse some notations differently.
  times: arrayText(
    events.map(({ occurredAt }) => (occurredAt === undefined ? null : new Date(occurredAt).toISOString()))
  ),
  eventIds: arrayText(events.map((event) => event.eventId ?? null)),
  receivedAt
})

interface StoreOutcome {
  stored: number
  missing: string[]
}

type Columns = ReturnType<typeof columnsOf>

const insertEvents = prepared<Columns>()(
  (_db, place) => sql<StoreOutcome>`
  with sent as (
    select partner_id, environment, event_type, user_id, amount_cents, category, institution, coalesce(occurred_at, ${place('receivedAt')}::timestamptz) as occurred_at, event_id, position
    from unnest(${place('partnerIds')}::text[], ${place('environments')}::text[], ${place('types')}::text[], ${place('userIds')}::text[], ${place('amounts')}::bigint[], ${place('categories')}::text[],
      ${place('institutions')}::text[], ${place('times')}::timestamptz[], ${place('eventIds')}::text[]) with ordinality
      as event (partner_id, environment, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, position)
  ), defaults as materialized (
    select partner_id, partner_environment(partner_id) as default_environment from (select distinct partner_id from sent where environment is null) as named
  ), given as (
    select partner_id, coalesce(environment, default_environment) as environment, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, position
    from sent left join defaults using (partner_id)
  ), missing as (
    select partner_id, position from (select partner_id, min(position) as position from given group by partner_id) as named
    where not exists (select from partners where partners.id = named.partner_id)
  ), stored as (
    insert into usage_events (partner_id, environment, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, received_at, transactions)
    select partner_id, environment, event_type, user_id, amount_cents, category, institution, occurred_at, event_id, ${place('receivedAt')}::timestamptz,
      (event_type = 'transaction')::integer from given
    where not exists (select from missing)
    order by partner_id, environment, event_id, position
    on conflict (partner_id, environment, event_id) where event_id is not null do nothing
    returning *
  ), placed as (
    select stored.*, unit, date_trunc(unit, occurred_at, 'UTC') as start from stored cross join (values ('day'), ('hour')) as units (unit)
  ), new_users as (
    insert into usage_users (partner_id, environment, unit, start, user_id)
    select distinct partner_id, environment, unit, start, user_id from placed where user_id is not null
    order by partner_id, environment, unit, start, user_id
    on conflict do nothing
    returning partner_id, environment, unit, start
  ), changes as (
    select partner_id, environment, unit, start, (event_type = 'user_signup')::int as signup, (event_type = 'account_link')::int as link,
      (event_type = 'transaction')::int as transaction, coalesce(amount_cents, 0) as cents, 0 as new_user
    from placed
    union all
    select partner_id, environment, unit, start, 0, 0, 0, 0, 1 from new_users
  ), intervals as (
    insert into usage_intervals as kept (partner_id, environment, unit, start, user_signups, account_links, transactions, volume_cents, active_users)
    select partner_id, environment, unit, start, sum(signup), sum(link), sum(transaction), sum(cents), sum(new_user) from changes
    group by partner_id, environment, unit, start order by partner_id, environment, unit, start
    on conflict (partner_id, environment, unit, start) do update set
      user_signups = kept.user_signups + excluded.user_signups,
      account_links = kept.account_links + excluded.account_links,
      transactions = kept.transactions + excluded.transactions,
      volume_cents = kept.volume_cents + excluded.volume_cents,
      active_users = kept.active_users + excluded.active_users
    returning partner_id, environment, unit, start
  ), categories as (
    insert into usage_categories as kept (partner_id, environment, unit, start, category, transactions, volume_cents)
    select partner_id, environment, unit, start, coalesce(category, ''), count(*), sum(coalesce(amount_cents, 0)) from placed
    where event_type = 'transaction' and (select count(*) from intervals) >= 0
    group by partner_id, environment, unit, start, coalesce(category, '') order by partner_id, environment, unit, start, coalesce(category, '')
    on conflict (partner_id, environment, unit, start, category) do update set
      transactions = kept.transactions + excluded.transactions,
      volume_cents = kept.volume_cents + excluded.volume_cents
    returning 1
  ), institutions as (
    insert into usage_institutions as kept (partner_id, environment, unit, start, institution, account_links)
    select partner_id, environment, unit, start, coalesce(institution, ''), count(*) from placed
    where event_type = 'account_link' and (select count(*) from categories) >= 0
    group by partner_id, environment, unit, start, coalesce(institution, '') order by partner_id, environment, unit, start, coalesce(institution, '')
    on conflict (partner_id, environment, unit, start, institution) do update set account_links = kept.account_links + excluded.account_links
  )
  select (select count(*) from stored) as stored, array(select partner_id from missing order by position) as missing`
)

/**
 * Stores events and adds them to the sums of their days and hours, in one statement whose text does not depend on the number of
 * events. Of events with the same partner, environment and id only the first is stored.
 *
 * Every insert orders its rows by key, and each table is written after the previous one because it counts the rows that one
 * returned. Concurrent statements therefore cannot deadlock.
 *
 * @returns the number of new events and the unknown partners. If there are unknown partners, nothing is stored.
 */
export const storeEvents = async (trx: Trx, events: UsageEvent[], receivedAt: Date): Promise<StoreOutcome> => {
  const [outcome] = await insertEvents(trx, columnsOf(events, receivedAt))
  if (outcome === undefined) throw new Error('The statement that stores usage events returned no row.')
  return outcome
}

/**
 * Records usage events in the transaction of their cause, and skips events with a known id.
 *
 * @returns the number of new events.
 * @throws Error when a partner does not exist.
 */
export const recordUsage = async (db: Trx, events: UsageEvent[], receivedAt: Date): Promise<number> => {
  if (events.length === 0) return 0
  const { stored, missing } = await storeEvents(db, events, receivedAt)
  if (missing.length > 0) throw new Error(`Usage events name partners that do not exist: ${missing.join(', ')}.`)
  return stored
}

/** Limits the categories and the institutions of a response to the largest ones. */
const maxNames = 500

export interface Counts {
  userSignups: number
  accountLinks: number
  transactions: number
  volumeCents: number
}

export interface UsageSums {
  /** The intervals that have events. */
  intervals: (Counts & { start: string; activeUsers: number })[]
  /** Distinct users over all intervals. */
  activeUsers: number
  byCategory: { category: string | null; transactions: number; volumeCents: number }[]
  byInstitution: { institution: string | null; accountLinks: number }[]
}

/**
 * Reads the sums of the intervals that a caller can see in one statement, and so as of one moment.
 *
 * Scans an index range of (intervals + names used in them + users active in each of them) rows, regardless of the number of events.
 * The users dominate: a year by day with 10,000 daily users is 3.7 million entries of one index.
 */
export const readUsage = async (db: Db, viewer: Viewer, unit: UsageInterval, { start, end }: Period) => {
  const ofUnit = sql`${isVisibleTo(viewer)} and unit = ${unit}`
  const inRange = sql`${ofUnit} and start >= ${start} and start < ${end}`
  // A user can be active in both environments.
  const activeUsers =
    viewer.environments.length === 1
      ? sql`sum(active_users)::bigint`
      : sql`(select count(distinct user_id) from usage_users u where ${ofUnit} and u.start = usage_intervals.start)`
  const { rows } = await sql<UsageSums>`
    select
      (select coalesce(json_agg(row_to_json(interval) order by start), '[]') from (
        select start, sum(user_signups)::bigint as "userSignups", sum(account_links)::bigint as "accountLinks",
          sum(transactions)::bigint as transactions, sum(volume_cents)::bigint as "volumeCents", ${activeUsers} as "activeUsers"
        from usage_intervals where ${inRange} group by usage_intervals.start
      ) as interval) as intervals,
      (select count(*) from (select distinct user_id from usage_users where ${inRange}) as users) as "activeUsers",
      (select coalesce(json_agg(row_to_json(sums)), '[]') from (
        select nullif(category, '') as category, sum(transactions)::bigint as transactions, sum(volume_cents)::bigint as "volumeCents"
        from usage_categories where ${inRange}
        group by usage_categories.category order by 3 desc, 2 desc, usage_categories.category limit ${sql.lit(maxNames)}
      ) as sums) as "byCategory",
      (select coalesce(json_agg(row_to_json(sums)), '[]') from (
        select nullif(institution, '') as institution, sum(account_links)::bigint as "accountLinks"
        from usage_institutions where ${inRange}
        group by usage_institutions.institution order by 2 desc, usage_institutions.institution limit ${sql.lit(maxNames)}
      ) as sums) as "byInstitution"`.execute(db)
  const [sums] = rows
  if (sums === undefined) throw new Error('Reading usage returned no row.')
  return sums
}
