-- Carries out a spend of an agent within its limits, or requests the owner's approval for it.
--
-- p_require_approval  requests approval even within the limits
-- p_expires_at        when a requested approval expires
-- outcome             posted; insufficient; pending, with approval_id; too_many_pending; unknown; paused; revoked
-- reason              why approval is needed
--
-- Locks are taken in one order everywhere: agent, approval, wallet.
create or replace function agent_spend(
  p_agent_id text, p_amount_cents bigint, p_description text, p_require_approval boolean,
  p_item_name text, p_url text, p_at timestamptz, p_expires_at timestamptz,
  out outcome text, out transaction_id bigint, out approval_id bigint, out balance_cents bigint,
  out reason text, out agent_name text, out owner_user_id text, out owner_partner_id text
) language plpgsql as $$
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
  -- A spend from just before midnight that arrives after one of the new day, delayed or from a slower clock, counts for
  -- the new day; otherwise it would reset the day's sum and the new day would grant its limit twice.
  if agent.spent_on = today + 1 then
    today := agent.spent_on;
  end if;
  spent_today := case when agent.spent_on = today then agent.spent_cents else 0 end;
  reason := case
    when p_require_approval then 'requested'
    when p_amount_cents > agent.per_transaction_limit_cents then 'per_transaction_limit'
    when spent_today + p_amount_cents > agent.daily_limit_cents then 'daily_limit' end;
  if reason is not null then
    -- At most 20 requests of an agent wait at a time. Counted under the lock of the agent, so that concurrent spends do not exceed it.
    if (select count(*) from (
        select from approvals q where q.agent_id = p_agent_id and q.status = 'pending' and q.expires_at > p_at limit 20
      ) waiting) = 20 then
      outcome := 'too_many_pending';
      return;
    end if;
    insert into approvals (agent_id, amount_cents, description, item_name, url, reason, created_at, expires_at)
      values (p_agent_id, p_amount_cents, p_description, p_item_name, p_url, reason, p_at, p_expires_at)
      returning id into approval_id;
    outcome := 'pending';
    return;
  end if;
  select p.outcome, p.transaction_id, p.balance_cents into outcome, transaction_id, balance_cents
    from ledger_post(p_agent_id, 'spend', -p_amount_cents, p_description, null, p_at) p;
  if outcome = 'posted' then
    update agents a set spent_on = today, spent_cents = spent_today + p_amount_cents where a.agent_id = p_agent_id;
  end if;
end $$;
