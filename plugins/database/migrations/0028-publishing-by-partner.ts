import { sql, type Kysely } from 'kysely'

/** Makes deliveries for each partner by itself: held against every endpoint of a batch, the events of many partners took several times as long. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create or replace function publish_events(p_limit integer, p_at timestamptz) returns integer
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
    -- No endpoint can be disabled or changed until the transaction ends. What was numbered is not read again: a partner can have many events. Each partner's
    -- are held against its own endpoints alone.
    with batch as materialized (
      select partner_id, array_agg(id) as ids, array_agg(type) as types, array_agg(sequence) as sequences
      from unnest(ids, partners, types, sequences) as e (id, partner_id, type, sequence) where type <> 'webhook.test' group by partner_id
    ), endpoint as materialized (
      select w.id, w.events, batch.ids, batch.types, batch.sequences
      from batch cross join lateral (select id, events from webhooks where partner_id = batch.partner_id and status = 'enabled' order by id for share) w
    )
    insert into webhook_deliveries (id, webhook_id, event_id, sequence, status, next_attempt_at, created_at)
    select new_id('dlv'), endpoint.id, event.id, event.sequence, 'pending', p_at, p_at
    from endpoint cross join lateral unnest(endpoint.ids, endpoint.types, endpoint.sequences) as event (id, type, sequence)
    where endpoint.events && array['*', event.type, split_part(event.type, '.', 1) || '.*']
    order by endpoint.id, event.sequence;
    -- A test is for one endpoint, and its delivery was made together with it.
    if 'webhook.test' = any(types) then
      update webhook_deliveries d set sequence = e.sequence from unnest(ids, types, sequences) as e (id, type, sequence)
      where e.type = 'webhook.test' and d.event_id = e.id;
    end if;
    return published;
  end $$`.execute(db)
}
