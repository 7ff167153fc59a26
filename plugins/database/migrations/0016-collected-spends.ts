import { sql, type Kysely } from 'kysely'

const statements = [
  sql`alter table idempotency_keys alter column answer drop not null`,
  // An answer that tells only of a ledger transaction is not stored a second time: the ledger never changes.
  sql`alter table idempotency_keys add column ledger_transaction_id bigint references ledger_transactions,
    add constraint idempotency_keys_one_answer check (num_nonnulls(answer, ledger_transaction_id) = 1)`,
  sql`drop function agent_spend(text, bigint, text, boolean, text, text, timestamptz, timestamptz)`,
  // As before, and with p_may_ask = false only told that approval is needed.
  sql`create function agent_spend(
    p_agent_id text, p_amount_cents bigint, p_description text, p_require_approval boolean, p_may_ask boolean, p_item_name text, p_url text,
    p_at timestamptz, p_expires_at timestamptz,
    out outcome text, out transaction_id bigint, out approval_id bigint, out balance_cents bigint,
    out reason text, out agent_name text, out owner_user_id text, out owner_partner_id text)
  language plpgsql as $$
  declare
    agent agents%rowtype;
    today date := (p_at at time zone 'UTC')::date;
    spent_today bigint;
  begin
    select a.* into agent from agents a where a.agent_id = p_agent_id for no key update;
    if not found then
      outcome := 'unknown';
      return;
    end if;
    agent_name := agent.name;
    owner_user_id := agent.owner_user_id;
    owner_partner_id := agent.owner_partner_id;
    if agent.status <> 'active' then
      outcome := agent.status;
      return;
    end if;
    spent_today := case when agent.spent_on = today then agent.spent_cents else 0 end;
    reason := case
      when p_require_approval then 'requested'
      when p_amount_cents > agent.per_transaction_limit_cents then 'per_transaction_limit'
      when spent_today + p_amount_cents > agent.daily_limit_cents then 'daily_limit' end;
    if reason is not null then
      if not p_may_ask then
        outcome := 'needs_approval';
        return;
      end if;
      insert into approvals (agent_id, amount_cents, description, item_name, url, reason, created_at, expires_at)
        values (p_agent_id, p_amount_cents, p_description, p_item_name, p_url, reason, p_at, p_expires_at) returning id into approval_id;
      outcome := 'pending';
      return;
    end if;
    select p.outcome, p.transaction_id, p.balance_cents into outcome, transaction_id, balance_cents
      from ledger_post(p_agent_id, 'spend', -p_amount_cents, p_description, null, p_at) p;
    if outcome = 'posted' then
      update agents a set spent_on = today, spent_cents = spent_today + p_amount_cents where a.agent_id = p_agent_id;
    end if;
  end $$`,
  // Agents in one order, whoever calls, so that two instances never wait for each other; each agent's spends in the order in which they came.
  sql`create function agent_spend_together(p_spends jsonb)
    returns table (place integer, outcome text, transaction_id bigint, balance_cents bigint, announced boolean)
  language plpgsql as $$
  declare
    wish record;
    spent record;
  begin
    for wish in select * from jsonb_to_recordset(p_spends) as s(
        place integer, credential_id text, agent_id text, amount_cents bigint, description text, require_approval boolean, event_id text, at timestamptz,
        tenant text, key text, key_lock bigint, body_hash bytea, expires_at timestamptz, operation_id text, method text, route text, ip text, request_id text)
      order by s.agent_id collate "C", s.place
    loop
      place := wish.place;
      transaction_id := null;
      balance_cents := null;
      announced := false;
      if not exists (select from credentials c where c.id = wish.credential_id and c.revoked_at is null and (c.expires_at is null or c.expires_at > wish.at)) then
        outcome := 'unauthorized';
      elsif wish.key is not null and (not pg_try_advisory_xact_lock(wish.key_lock) or exists (
          select from idempotency_keys k where k.tenant = wish.tenant and k.key = wish.key and k.expires_at > wish.at)) then
        outcome := 'known_key';
      else
        select * into spent from agent_spend(
          wish.agent_id, wish.amount_cents, wish.description, wish.require_approval, false, null, null, wish.at, null);
        outcome := spent.outcome;
        transaction_id := spent.transaction_id;
        balance_cents := spent.balance_cents;
        if outcome = 'posted' then
          announced := spent.owner_partner_id is not null;
          if announced then
            insert into events (id, partner_id, type, data, created_at) values (wish.event_id, spent.owner_partner_id, 'agent.spend', jsonb_build_object(
              'agent_id', wish.agent_id, 'transaction_id', spent.transaction_id, 'amount', trim_scale(wish.amount_cents / 100.0),
              'balance', trim_scale(spent.balance_cents / 100.0), 'description', wish.description), wish.at);
          end if;
          insert into activity (partner_id, at, actor_type, actor_id, operation_id, method, route, resource_id, ip, request_id)
            values (spent.owner_partner_id, wish.at, 'agent', wish.agent_id, wish.operation_id, wish.method, wish.route, spent.transaction_id::text, wish.ip, wish.request_id);
          if wish.key is not null then
            insert into idempotency_keys as k (tenant, key, operation_id, body_hash, status, ledger_transaction_id, created_at, expires_at)
              values (wish.tenant, wish.key, wish.operation_id, wish.body_hash, 200, spent.transaction_id, wish.at, wish.expires_at)
              on conflict (tenant, key) do update set operation_id = excluded.operation_id, body_hash = excluded.body_hash, status = excluded.status,
                answer = null, ledger_transaction_id = excluded.ledger_transaction_id, created_at = excluded.created_at, expires_at = excluded.expires_at
              where k.expires_at <= wish.at;
            if not found then
              raise exception 'The idempotency key of % was answered meanwhile.', wish.tenant using errcode = 'serialization_failure';
            end if;
          end if;
        end if;
      end if;
      return next;
    end loop;
  end $$`
]

/** Spends of many agents in one statement, each with its activity, its event and its idempotency key. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of statements) await statement.execute(db)
}
