import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { EncryptedSecrets } from '../secrets.ts'

export interface LeasedEndpoint {
  id: string
  partnerId: string
  /** Whether the last attempt succeeded promptly, or there was none. Each kind has slots of its own. */
  isResponsive: boolean
}

export interface Slots {
  freeResponsive: number
  freeUnresponsive: number
  /** How many slots of each kind one partner can have. */
  perPartner: number
  /** The endpoints that have one now. */
  taken: LeasedEndpoint[]
}

interface LeaseRequest {
  lease: string
  leaseMs: number
  slots: Slots
  now: Date
}

/** The numbers of slots that partners have, as JSON. */
const takenJson = (taken: LeasedEndpoint[]): string =>
  JSON.stringify(taken.map(({ partnerId, isResponsive }) => ({ partner_id: partnerId, responsive: isResponsive })))

/**
 * Leases endpoints with due deliveries to one worker across all instances: those of the partners with the fewest slots first, longest unserved first. A delivery that was
 * never tried is due regardless of the clock. Leases use the database clock, so that clock differences between instances cannot end them.
 * The recursive part skips from one endpoint with pending deliveries to the next through the index.
 */
export const leaseEndpoints = async (
  db: Db,
  { lease, leaseMs, slots: { freeResponsive, freeUnresponsive, perPartner, taken }, now }: LeaseRequest
): Promise<LeasedEndpoint[]> => {
  const { rows } = await sql<LeasedEndpoint>`
    with recursive waiting (webhook_id) as (
      (select webhook_id from webhook_deliveries where status = 'pending' and sequence is not null and webhook_id > '' order by webhook_id limit 1)
      union all
      select (select d.webhook_id from webhook_deliveries d where d.status = 'pending' and d.sequence is not null and d.webhook_id > w.webhook_id order by d.webhook_id limit 1)
      from waiting w where w.webhook_id is not null
    ), taken as (
      select partner_id, responsive, count(*) as slots
      from jsonb_to_recordset(${takenJson(taken)}::jsonb) as taken (partner_id text, responsive boolean)
      group by partner_id, responsive
    ), due as (
      select w.id, w.responsive, w.leased_until, coalesce(taken.slots, 0)
        + row_number() over (partition by w.partner_id, w.responsive order by w.leased_until nulls first, w.id) as slot
      from waiting join webhooks w on w.id = waiting.webhook_id
      left join taken on taken.partner_id = w.partner_id and taken.responsive = w.responsive
      where w.status = 'enabled' and (w.leased_until is null or w.leased_until <= clock_timestamp()) and coalesce(
        (select true from webhook_deliveries d where d.webhook_id = w.id and d.status = 'pending' and d.tries = 0 and d.sequence is not null limit 1),
        (select true from webhook_deliveries d where d.webhook_id = w.id and d.status = 'pending' and d.sequence is not null and d.next_attempt_at <= ${now} limit 1)
      )
    ), ranked as (
      select id, responsive, row_number() over (partition by responsive order by slot, leased_until nulls first, id) as rank
      from due where slot <= ${perPartner}::integer
    )
    update webhooks set lease = ${lease}, leased_until = clock_timestamp() + ${leaseMs}::double precision * interval '1 millisecond'
    where id = any(array(
      select w.id from ranked join webhooks w on w.id = ranked.id
      where ranked.rank <= case when ranked.responsive then ${freeResponsive}::integer else ${freeUnresponsive}::integer end
        and w.status = 'enabled' and (w.leased_until is null or w.leased_until <= clock_timestamp())
      for update of w skip locked
    ))
    returning id, partner_id as "partnerId", responsive as "isResponsive"`.execute(db)
  return rows
}

export type Target = EncryptedSecrets & { url: string }

/** Renews a lease. @returns the current target, or undefined when the lease is lost, or the endpoint disabled or deleted. */
export const renewLease = async (
  db: Db,
  webhookId: string,
  lease: string,
  leaseMs: number,
  now: Date
): Promise<Target | undefined> => {
  const { rows } = await sql<Target>`
    update webhooks set leased_until = clock_timestamp() + ${leaseMs}::double precision * interval '1 millisecond'
    where id = ${webhookId} and lease = ${lease} and status = 'enabled'
    returning url, secret, array(
      select old.secret from unnest(old_secrets, old_secrets_expire_at) as old (secret, expires_at)
      where old.expires_at > ${now}::timestamptz order by old.expires_at desc
    ) as "oldSecrets"`.execute(db)
  return rows[0]
}

/** Locks the endpoint whose lease the caller holds; undefined when the lease is lost or the endpoint deleted. */
export const lockLeased = async (db: Trx, webhookId: string, lease: string) =>
  await db
    .selectFrom('webhooks')
    .select([
      'id',
      'partner_id as partnerId',
      'environment',
      'url',
      'status',
      'failing_since as failingSince',
      'responsive as isResponsive'
    ])
    .where('id', '=', webhookId)
    .where('lease', '=', lease)
    .forUpdate()
    .executeTakeFirst()

/** Releases a lease. `leased_until` stays set, so that endpoints are served in turn. */
export const endLease = async (db: Db, webhookId: string, lease: string): Promise<void> => {
  await sql`update webhooks set lease = null, leased_until = clock_timestamp() where id = ${webhookId} and lease = ${lease}`.execute(
    db
  )
}

/** Releases all leases. Only for a server that just started and does not share its database. */
export const endAllLeases = async (db: Db): Promise<void> => {
  await sql`update webhooks set lease = null, leased_until = null where lease is not null`.execute(db)
}
