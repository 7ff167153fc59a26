import { sql, type Kysely } from 'kysely'

const statements = [
  // As the server makes them: letters and digits that cannot be guessed. Without the two other signs of base64, 44 of them are always more than 22.
  sql`create function new_id(p_prefix text) returns text language sql volatile as $$
    select p_prefix || '_' || left(translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', ''), 22)
  $$`,
  sql`create function publish_events(p_limit integer, p_at timestamptz) returns integer
  language plpgsql as $$
  declare
    event_ids text[];
    test_ids text[];
    partner_ids text[];
    published integer;
  begin
    if not exists (select from events where published_at is null) then
      return 0;
    end if;
    -- One publisher at a time on all instances, until its transaction ends.
    perform pg_advisory_xact_lock(hashtextextended('publish events', 0));
    with batch as (
      select id, partner_id, row_number() over (partition by partner_id order by position) as nth
      from (select id, partner_id, position from events where published_at is null order by position limit p_limit) as oldest
    ), sizes as (
      select partner_id, count(*) as size from batch group by partner_id
    ), counters as (
      insert into event_sequences as s (partner_id, last)
      select partner_id, size from sizes order by partner_id
      on conflict (partner_id) do update set last = s.last + excluded.last
      returning partner_id, last
    ), numbered as (
      update events e set sequence = c.last - s.size + b.nth, published_at = p_at
      from batch b join counters c using (partner_id) join sizes s using (partner_id)
      where e.id = b.id
      returning e.id, e.type, e.partner_id
    )
    select array_agg(id) filter (where type <> 'webhook.test'), array_agg(id) filter (where type = 'webhook.test'), array_agg(distinct partner_id), count(*)
      into event_ids, test_ids, partner_ids, published from numbered;
    -- No endpoint can be disabled or changed until the transaction ends.
    insert into webhook_deliveries (id, webhook_id, event_id, sequence, status, next_attempt_at, created_at)
    select new_id('dlv'), w.id, e.id, e.sequence, 'pending', p_at, p_at
    from (select id, partner_id, events from webhooks where partner_id = any(partner_ids) and status = 'enabled' order by id for share) as w
    join events e on e.id = any(event_ids) and e.partner_id = w.partner_id and w.events && array['*', e.type, split_part(e.type, '.', 1) || '.*']
    order by w.id, e.sequence;
    -- A test is for one endpoint, and its delivery was made together with it.
    if test_ids is not null then
      update webhook_deliveries d set sequence = e.sequence from events e where e.id = any(test_ids) and d.event_id = e.id;
    end if;
    return published;
  end $$`
]

/** Gives committed events their sequences and fans them out to the endpoints that are subscribed, in one statement. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
