-- Approves or rejects a spend that an agent requested. An approved one is booked in the same statement.
--
-- outcome  approved; rejected; already_approved; already_rejected; expired; insufficient; paused; revoked; unknown, when
--          there is no such approval of an agent that the user owns
--
-- Locks are taken in one order everywhere: agent, approval, wallet.
create or replace function agent_decide(
  p_approval_id bigint, p_user_id text, p_approve boolean, p_at timestamptz,
  out outcome text, out agent_id text, out transaction_id bigint, out amount_cents bigint, out balance_cents bigint,
  out owner_partner_id text
) language plpgsql as $$
declare
  agent agents%rowtype;
  approval approvals%rowtype;
begin
  select a.* into agent from agents a
    where a.agent_id = (select q.agent_id from approvals q where q.id = p_approval_id) and a.owner_user_id = p_user_id
    for no key update;
  if not found then
    outcome := 'unknown';
    return;
  end if;
  select q.* into approval from approvals q where q.id = p_approval_id for no key update;
  agent_id := agent.agent_id;
  owner_partner_id := agent.owner_partner_id;
  amount_cents := approval.amount_cents;
  if approval.status in ('approved', 'rejected') then
    outcome := 'already_' || approval.status;
  elsif approval.status = 'expired' or approval.expires_at <= p_at then
    outcome := 'expired';
  elsif not p_approve then
    update approvals q set status = 'rejected', decided_at = p_at, decided_by = p_user_id where q.id = p_approval_id;
    outcome := 'rejected';
  elsif agent.status <> 'active' then
    outcome := agent.status;
  else
    select p.outcome, p.transaction_id, p.balance_cents into outcome, transaction_id, balance_cents
      from ledger_post(agent.agent_id, 'spend', -approval.amount_cents, approval.description,
        'approval:' || p_approval_id, p_at) p;
    if outcome = 'posted' then
      update approvals q
        set status = 'approved', decided_at = p_at, decided_by = p_user_id, transaction_id = agent_decide.transaction_id
        where q.id = p_approval_id;
      outcome := 'approved';
    end if;
  end if;
end $$;
