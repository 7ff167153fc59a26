-- Publishes up to p_limit committed events, the oldest first: numbers them in the partner's sequence and creates a
-- delivery for each enabled webhook endpoint that is subscribed. Returns how many events it published.
create or replace function publish_events(p_limit integer, p_at timestamptz) returns integer language plpgsql as $$
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
  -- One publisher at a time across all instances, until its transaction ends.
  perform pg_advisory_xact_lock(hashtextextended('publish events', 0));
  with batch as (
    select id, partner_id, row_number() over (partition by partner_id order by position) as nth,
      count(*) over (partition by partner_id) as size
    from (
      select id, partner_id, position from events where published_at is null order by position limit p_limit
    ) as oldest
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
  select array_agg(id), array_agg(partner_id), array_agg(type), array_agg(sequence), count(*)
    into ids, partners, types, sequences, published from numbered;
  -- "for share" keeps endpoints from being disabled or changed until the transaction ends. The numbered events come from
  -- the arrays, not from the table, because a partner can have many. Each partner's events meet its own endpoints alone:
  -- comparing every event with every endpoint took several times as long.
  with batch as materialized (
    select partner_id, array_agg(id) as ids, array_agg(type) as types, array_agg(sequence) as sequences
    from unnest(ids, partners, types, sequences) as e (id, partner_id, type, sequence)
    where type <> 'webhook.test' group by partner_id
  ), endpoint as materialized (
    select w.id, w.events, batch.ids, batch.types, batch.sequences
    from batch cross join lateral (
      select id, events from webhooks where partner_id = batch.partner_id and status = 'enabled' order by id for share
    ) w
  )
  insert into webhook_deliveries (id, webhook_id, event_id, sequence, status, next_attempt_at, created_at)
  select new_id('dlv'), endpoint.id, event.id, event.sequence, 'pending', p_at, p_at
  from endpoint
  cross join lateral unnest(endpoint.ids, endpoint.types, endpoint.sequences) as event (id, type, sequence)
  where endpoint.events && array['*', event.type, split_part(event.type, '.', 1) || '.*']
  order by endpoint.id, event.sequence;
  -- A test event is for one endpoint; its delivery was created together with it.
  if 'webhook.test' = any(types) then
    update webhook_deliveries d set sequence = e.sequence
    from unnest(ids, types, sequences) as e (id, type, sequence)
    where e.type = 'webhook.test' and d.event_id = e.id;
  end if;
  return published;
end $$;
