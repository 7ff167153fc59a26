-- Publishes up to p_limit committed events: numbers them in the sequence of the partner's environment, the oldest first,
-- and creates a delivery for each enabled webhook endpoint of that environment that was subscribed when the event was
-- written. Each partner with unpublished events gets an equal share of the batch. Returns how many events it published.
create or replace function publish_events(p_limit integer, p_at timestamptz) returns integer language plpgsql as $$
declare
  ids text[];
  partners text[];
  environments text[];
  types text[];
  positions bigint[];
  sequences bigint[];
  published integer;
begin
  if not exists (select from events where published_at is null) then
    return 0;
  end if;
  -- One publisher at a time across all instances, until its transaction ends.
  perform pg_advisory_xact_lock(hashtextextended('publish events', 0));
  -- The recursive part skips from one partner with unpublished events to the next through the index.
  with recursive waiting (partner_id) as (
    (select partner_id from events where published_at is null and partner_id > '' order by partner_id limit 1)
    union all
    select (
      select e.partner_id from events e where e.published_at is null and e.partner_id > w.partner_id
      order by e.partner_id limit 1
    )
    from waiting w where w.partner_id is not null
  ), share as (
    select event.id, event.partner_id, event.environment, event.position, event.nth
    from waiting cross join lateral (
      select id, partner_id, environment, position, row_number() over (order by position) as nth
      from (
        select id, partner_id, environment, position from events where published_at is null and partner_id = waiting.partner_id
        order by position limit p_limit
      ) as oldest
    ) as event
    order by event.nth, event.position limit p_limit
  ), batch as (
    select id, partner_id, environment, row_number() over (partition by partner_id, environment order by position) as nth,
      count(*) over (partition by partner_id, environment) as size
    from share
  ), counters as (
    insert into event_sequences as s (partner_id, environment, last)
    select partner_id, environment, count(*) from batch group by partner_id, environment order by partner_id, environment
    on conflict (partner_id, environment) do update set last = s.last + excluded.last
    returning partner_id, environment, last
  ), numbered as (
    update events e set sequence = c.last - b.size + b.nth, published_at = p_at
    from batch b join counters c using (partner_id, environment)
    where e.id = b.id
    returning e.id, e.partner_id, e.environment, e.type, e.position, e.sequence
  )
  select array_agg(id), array_agg(partner_id), array_agg(environment), array_agg(type), array_agg(position),
    array_agg(sequence), count(*)
    into ids, partners, environments, types, positions, sequences, published from numbered;
  -- "for share" keeps endpoints from being disabled or changed until the transaction ends. The numbered events come from
  -- the arrays, not from the table, because a partner can have many. Each partner's events meet its own endpoints alone:
  -- comparing every event with every endpoint took several times as long.
  with batch as materialized (
    select partner_id, environment, array_agg(id) as ids, array_agg(type) as types, array_agg(position) as positions,
      array_agg(sequence) as sequences
    from unnest(ids, partners, environments, types, positions, sequences)
      as e (id, partner_id, environment, type, position, sequence)
    where type <> 'webhook.test' group by partner_id, environment
  ), endpoint as materialized (
    select w.id, w.subscribed_after, batch.ids, batch.types, batch.positions, batch.sequences
    from batch cross join lateral (
      select id, subscribed_after from webhooks
      where partner_id = batch.partner_id and environment = batch.environment and status = 'enabled'
      order by id for share
    ) w
  )
  insert into webhook_deliveries (id, webhook_id, event_id, sequence, status, next_attempt_at, created_at)
  select new_id('dlv'), endpoint.id, event.id, event.sequence, 'pending', p_at, p_at
  from endpoint
  cross join lateral unnest(endpoint.ids, endpoint.types, endpoint.positions, endpoint.sequences)
    as event (id, type, position, sequence)
  where event.position > any(array[
    (endpoint.subscribed_after ->> '*')::bigint,
    (endpoint.subscribed_after ->> event.type)::bigint,
    (endpoint.subscribed_after ->> (split_part(event.type, '.', 1) || '.*'))::bigint
  ])
  order by endpoint.id, event.sequence;
  -- A test event is for one endpoint; its delivery was created together with it.
  if 'webhook.test' = any(types) then
    update webhook_deliveries d set sequence = e.sequence
    from unnest(ids, types, sequences) as e (id, type, sequence)
    where e.type = 'webhook.test' and d.event_id = e.id;
  end if;
  return published;
end $$;
