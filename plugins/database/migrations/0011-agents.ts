import { sql, type Kysely } from 'kysely'

const tables = [
  sql`create table agents (
    agent_id text primary key references ledger_wallets,
    name text not null,
    owner_user_id text references users,
    owner_partner_id text references partners,
    status text not null default 'active' check (status in ('active', 'paused', 'revoked')),
    is_verified boolean not null default false,
    daily_limit_cents bigint check (daily_limit_cents >= 0),
    per_transaction_limit_cents bigint check (per_transaction_limit_cents >= 0),
    spent_on date,
    spent_cents bigint not null default 0 check (spent_cents >= 0),
    api_key bytea not null,
    created_at timestamptz not null,
    check ((owner_user_id is null) = (owner_partner_id is null))
  )`,
  sql`create index agents_owner on agents (owner_user_id, created_at desc, agent_id desc)`,
  sql`create table approvals (
    id bigint generated always as identity primary key,
    agent_id text not null references agents,
    amount_cents bigint not null check (amount_cents > 0),
    description text not null,
    item_name text,
    url text,
    reason text not null check (reason in ('requested', 'daily_limit', 'per_transaction_limit')),
    status text not null default 'pending' check (status in ('pending', 'approved', 'rejected', 'expired')),
    created_at timestamptz not null,
    expires_at timestamptz not null check (expires_at > created_at),
    decided_at timestamptz,
    decided_by text references users,
    transaction_id bigint unique references ledger_transactions,
    check ((status = 'approved') = (transaction_id is not null)),
    check ((status in ('approved', 'rejected')) = (decided_at is not null and decided_by is not null))
  )`,
  sql`create index approvals_agent on approvals (agent_id, id desc)`,
  sql`create index approvals_expiry on approvals (expires_at) where status = 'pending'`,
  sql`create table stripe_payments (
    session_id text primary key,
    agent_id text not null references agents,
    amount_cents bigint not null check (amount_cents > 0),
    status text not null default 'open' check (status in ('open', 'paid', 'expired')),
    payment_intent_id text unique,
    transaction_id bigint unique references ledger_transactions,
    credits_cents bigint not null default 0 check (credits_cents >= 0),
    taken_back_cents bigint not null default 0 check (taken_back_cents >= 0),
    owed_cents bigint not null default 0 check (owed_cents >= 0),
    created_at timestamptz not null,
    paid_at timestamptz,
    check ((status = 'paid') = (transaction_id is not null and payment_intent_id is not null and paid_at is not null)),
    check (taken_back_cents + owed_cents <= credits_cents)
  )`,
  sql`create index stripe_payments_agent on stripe_payments (agent_id)`,
  // Kept for payments that are not booked yet, too: Stripe promises no order of its events.
  sql`create table stripe_reversals (
    source_id text primary key,
    payment_intent_id text not null,
    kind text not null check (kind in ('refund', 'dispute')),
    amount_cents bigint not null check (amount_cents >= 0),
    updated_at timestamptz not null
  )`,
  sql`create index stripe_reversals_payment on stripe_reversals (payment_intent_id)`,
  sql`create table stripe_events (
    id text primary key,
    type text not null,
    received_at timestamptz not null
  )`,
  sql`create table notifications (
    id text primary key,
    position bigint generated always as identity unique,
    user_id text not null references users on delete cascade,
    type text not null,
    message text not null,
    data jsonb not null,
    created_at timestamptz not null,
    sms_status text not null check (sms_status in ('none', 'pending', 'sent', 'failed')),
    sms_attempts smallint not null default 0,
    sms_next_at timestamptz,
    check ((sms_status = 'pending') = (sms_next_at is not null))
  )`,
  sql`create index notifications_user on notifications (user_id, position desc)`,
  sql`create index notifications_unsent on notifications (sms_next_at) where sms_status = 'pending'`
]

const guards = [
  sql`create function agents_guard() returns trigger language plpgsql as $$
    begin
      if old.status = 'revoked' and new.status <> 'revoked' then
        raise exception 'The agent % is revoked for good.', old.agent_id using errcode = 'restrict_violation';
      end if;
      if old.owner_user_id is not null and new.owner_user_id is distinct from old.owner_user_id then
        raise exception 'The agent % has an owner already.', old.agent_id using errcode = 'restrict_violation';
      end if;
      return new;
    end $$`,
  sql`create trigger agents_guard before update on agents for each row execute function agents_guard()`,
  // What is approved is exactly what was asked, and it is decided once.
  sql`create function approvals_guard() returns trigger language plpgsql as $$
    begin
      if tg_op = 'DELETE' or old.status <> 'pending' or new.status = 'pending' then
        raise exception 'The approval % is decided once and stays.', old.id using errcode = 'restrict_violation';
      end if;
      if row(new.id, new.agent_id, new.amount_cents, new.description, new.item_name, new.url, new.reason, new.created_at, new.expires_at)
        is distinct from row(old.id, old.agent_id, old.amount_cents, old.description, old.item_name, old.url, old.reason, old.created_at, old.expires_at) then
        raise exception 'The content of the approval % cannot change.', old.id using errcode = 'restrict_violation';
      end if;
      return new;
    end $$`,
  sql`create trigger approvals_guard before update or delete on approvals for each row execute function approvals_guard()`,
  sql`create function approvals_begin_pending() returns trigger language plpgsql as $$
    begin
      raise exception 'An approval begins as pending.' using errcode = 'restrict_violation';
    end $$`,
  sql`create trigger approvals_begin_pending before insert on approvals
    for each row when (new.status <> 'pending') execute function approvals_begin_pending()`
]

// Locks are taken in one order everywhere: agent, approval, wallet.
const functions = [
  sql`create function agent_spend(
    p_agent_id text, p_amount_cents bigint, p_description text, p_require_approval boolean, p_item_name text, p_url text,
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
  sql`create function agent_decide(
    p_approval_id bigint, p_user_id text, p_approve boolean, p_at timestamptz,
    out outcome text, out agent_id text, out transaction_id bigint, out amount_cents bigint, out balance_cents bigint, out owner_partner_id text)
  language plpgsql as $$
  declare
    agent agents%rowtype;
    approval approvals%rowtype;
  begin
    select a.* into agent from agents a
      where a.agent_id = (select q.agent_id from approvals q where q.id = p_approval_id) and a.owner_user_id = p_user_id for no key update;
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
        from ledger_post(agent.agent_id, 'spend', -approval.amount_cents, approval.description, 'approval:' || p_approval_id, p_at) p;
      if outcome = 'posted' then
        update approvals q set status = 'approved', decided_at = p_at, decided_by = p_user_id, transaction_id = agent_decide.transaction_id
          where q.id = p_approval_id;
        outcome := 'approved';
      end if;
    end if;
  end $$`
]

/** Agents, what their owners approve and are told, and what was paid for credits. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...tables, ...guards, ...functions]) await statement.execute(db)
}
