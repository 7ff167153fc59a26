-- Carries out direct spends of many agents in one statement, each with its activity row, its event and its idempotency
-- key. Returns a row for each spend.
--
-- outcome    that of agent_spend; unauthorized, when the credential was revoked or has expired; known_key, when the
--            idempotency key is in use or has a response. Only a posted spend writes anything.
-- announced  whether an event was written
create or replace function agent_spend_together(p_spends jsonb)
  returns table (place integer, outcome text, transaction_id bigint, balance_cents bigint, announced boolean)
language plpgsql as $$
declare
  wish record;
  spent record;
begin
  -- Agents in the same order for every caller, so that two instances never deadlock; each agent's spends in the order in
  -- which they arrived.
  for wish in
    select * from jsonb_to_recordset(p_spends) as s(
      place integer, credential_id text, agent_id text, amount_cents bigint, description text, require_approval boolean,
      event_id text, at timestamptz, tenant text, key text, key_lock bigint, body_hash bytea, expires_at timestamptz,
      operation_id text, method text, route text, ip text, request_id text)
    order by s.agent_id collate "C", s.place
  loop
    place := wish.place;
    transaction_id := null;
    balance_cents := null;
    announced := false;
    if not exists (
      select from credentials c
      where c.id = wish.credential_id and c.revoked_at is null and (c.expires_at is null or c.expires_at > wish.at)
    ) then
      outcome := 'unauthorized';
    elsif wish.key is not null and (not pg_try_advisory_xact_lock(wish.key_lock) or exists (
      select from idempotency_keys k where k.tenant = wish.tenant and k.key = wish.key and k.expires_at > wish.at
    )) then
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
          insert into events (id, partner_id, type, data, created_at) values (
            wish.event_id, spent.owner_partner_id, 'agent.spend', jsonb_build_object(
              'agent_id', wish.agent_id, 'transaction_id', spent.transaction_id,
              'amount', trim_scale(wish.amount_cents / 100.0), 'balance', trim_scale(spent.balance_cents / 100.0),
              'description', wish.description),
            wish.at);
        end if;
        insert into activity (partner_id, at, actor_type, actor_id, operation_id, method, route, resource_id, ip, request_id)
          values (spent.owner_partner_id, wish.at, 'agent', wish.agent_id, wish.operation_id, wish.method, wish.route,
            spent.transaction_id::text, wish.ip, wish.request_id);
        if wish.key is not null then
          insert into idempotency_keys as k
            (tenant, key, operation_id, body_hash, status, ledger_transaction_id, created_at, expires_at)
            values (wish.tenant, wish.key, wish.operation_id, wish.body_hash, 200, spent.transaction_id, wish.at,
              wish.expires_at)
            on conflict (tenant, key) do update set operation_id = excluded.operation_id,
              body_hash = excluded.body_hash, status = excluded.status, answer = null,
              ledger_transaction_id = excluded.ledger_transaction_id, created_at = excluded.created_at,
              expires_at = excluded.expires_at
            where k.expires_at <= wish.at;
          if not found then
            raise exception 'The idempotency key of % was answered meanwhile.', wish.tenant
              using errcode = 'serialization_failure';
          end if;
        end if;
      end if;
    end if;
    return next;
  end loop;
end $$;
