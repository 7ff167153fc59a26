import { sql, type Kysely } from 'kysely'

const statements = [
  // As the server makes them: letters and digits that cannot be guessed. Without the two other signs of base64, 44 of them are always more than 22.
  sql`create function new_id(p_prefix text) returns text language sql volatile as $$
    select p_prefix || '_' || left(translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', ''), 22)
  $$`,
  sql`create function publish_events(p_limit integer, p_at timestamptz) returns integer
  language plpgsql as $$
  declare
    ids text[];
    partners text[];
    types text[];
    sequences bigint[];
    published integer;
  begin
    if not exists (select from events where published_at is null) then
      return 0;
    end if;
    -- One publisher at a time on all instances, until its transaction ends.
    perform pg_advisory_xact_lock(hashtextextended('publish events', 0));
    with batch as (
      select id, partner_id, row_number() over (partition by partner_id order by position) as nth, count(*) over (partition by partner_id) as size
      from (select id, partner_id, position from events where published_at is null order by position limit p_limit) as oldest
    ), counters as (
      insert into event_sequences as s (partner_id, last)
      select partner_id, count(*) from batch group by partner_id order by partner_id
      on conflict (partner_id) do update set last = s.last + excluded.last
      returning partner_id, last
    ), numbered as (
      update events e set sequence = c.last - b.size + b.nth, published_at = p_at
      from batch b join counters c using (partner_id)
      where e.id = b.id
      returning e.id, e.partner_id, e.type, e.sequence
    )
    select array_agg(id), array_agg(partner_id), array_agg(type), array_agg(sequence), count(*) into ids, partners, types, sequences, published from numbered;
    -- No endpoint can be disabled or changed until the transaction ends. What was numbered is not read again: a partner can have many events.
    with endpoint as materialized (
      select id, partner_id, events from webhooks where partner_id = any(partners) and status = 'enabled' order by id for share
    ), event as materialized (
      select * from unnest(ids, partners, types, sequences) as e (id, partner_id, type, sequence) where type <> 'webhook.test'
    )
    insert into webhook_deliveries (id, webhook_id, event_id, sequence, status, next_attempt_at, created_at)
    select new_id('dlv'), endpoint.id, event.id, event.sequence, 'pending', p_at, p_at
    from endpoint join event on event.partner_id = endpoint.partner_id and endpoint.events && array['*', event.type, split_part(event.type, '.', 1) || '.*']
    order by endpoint.id, event.sequence;
    -- A test is for one endpoint, and its delivery was made together with it.
    if 'webhook.test' = any(types) then
      update webhook_deliveries d set sequence = e.sequence from unnest(ids, types, sequences) as e (id, type, sequence)
      where e.type = 'webhook.test' and d.event_id = e.id;
    end if;
    return published;
  end $$`
]

/** Gives committed events their sequences and fans them out to the endpoints that are subscribed, in one statement. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
