import { sql, type Kysely } from 'kysely'

const recipients = [
  sql`create table recipients (
    id text primary key check (id like 'acc\\_recipient\\_%'),
    partner_id text not null references partners,
    environment text not null check (environment in ('test', 'live')),
    user_id text,
    name text not null,
    routing_number text not null check (routing_number ~ '^[0-9]{9}$'),
    account_number bytea,
    mask text not null,
    account_type text not null check (account_type in ('checking', 'savings')),
    plaid_account_id text not null,
    access_token bytea,
    created_at timestamptz not null,
    deleted_at timestamptz,
    check (deleted_at is not null or (account_number is not null and access_token is not null))
  )`,
  sql`create index recipients_page on recipients (partner_id, created_at desc, id desc) where deleted_at is null`,
  sql`create index recipients_to_erase on recipients (deleted_at) where deleted_at is not null and access_token is not null`
]

const transfers = [
  // A transfer is `preparing`, and nobody sees it, until Plaid has taken its debit. From then on its state is that of its last event.
  // `request_key` finds it for a retry of a request whose answer was never committed.
  sql`create table transfers (
    id text primary key,
    partner_id text not null references partners,
    environment text not null check (environment in ('test', 'live')),
    request_key text,
    user_id text not null,
    from_account_id text not null,
    to_account_id text not null,
    amount_cents bigint not null check (amount_cents > 0),
    currency text not null check (currency = 'USD'),
    memo text,
    legal_name text,
    rail text not null check (rail in ('ach', 'same_day_ach', 'rtp')),
    state text not null default 'preparing'
      check (state in ('preparing', 'submitted', 'pending', 'posted', 'settled', 'failed', 'returned', 'cancelled')),
    last_sequence integer not null default 0 check (last_sequence >= 0),
    estimated_settlement timestamptz not null,
    created_at timestamptz not null,
    touched_at timestamptz not null,
    unique (id, amount_cents),
    unique (id, from_account_id, amount_cents),
    check (from_account_id <> to_account_id),
    check ((state = 'preparing') = (last_sequence = 0))
  )`,
  sql`create unique index transfers_request on transfers (partner_id, request_key) where request_key is not null`,
  sql`create index transfers_page on transfers (partner_id, created_at desc, id desc)`,
  sql`create index transfers_preparing on transfers (touched_at) where state = 'preparing'`,
  sql`create index transfers_touched on transfers (environment, touched_at)`,
  sql`create index transfers_to on transfers (to_account_id)`,
  sql`create table transfer_events (
    transfer_id text not null references transfers,
    sequence integer not null check (sequence > 0),
    state text not null,
    reason text,
    created_at timestamptz not null,
    primary key (transfer_id, sequence)
  )`,
  // The movements of a transfer at Plaid: a debit, then a credit, and a refund when the credit came to nothing. All of them are of the transfer's amount.
  sql`create table transfer_legs (
    id text primary key,
    transfer_id text not null,
    amount_cents bigint not null,
    kind text not null check (kind in ('debit', 'credit', 'refund')),
    attempt integer not null check (attempt > 0),
    network text not null check (network in ('ach', 'same-day-ach', 'rtp')),
    status text not null check (status in ('wanted', 'pending', 'posted', 'settled', 'funds_available', 'failed', 'returned', 'cancelled')),
    authorization_attempt integer not null default 1,
    authorization_id text,
    authorized_at timestamptz,
    plaid_transfer_id text unique,
    reason text,
    retry_at timestamptz,
    created_at timestamptz not null,
    unique (transfer_id, kind, attempt),
    foreign key (transfer_id, amount_cents) references transfers (id, amount_cents) on delete cascade,
    check ((authorization_id is null) = (authorized_at is null)),
    check (kind <> 'debit' or network <> 'rtp'),
    check (status not in ('posted', 'settled', 'funds_available', 'returned') or plaid_transfer_id is not null)
  )`,
  sql`create unique index transfer_legs_live on transfer_legs (transfer_id, kind) where status not in ('failed', 'returned', 'cancelled')`,
  sql`create index transfer_legs_wanted on transfer_legs (retry_at, id) where status = 'wanted' and kind <> 'debit'`
]

const funds = [
  sql`create table account_funds (account_id text primary key, held_cents bigint not null check (held_cents >= 0))`,
  sql`create table transfer_holds (
    transfer_id text primary key,
    account_id text not null references account_funds,
    amount_cents bigint not null,
    available_cents bigint,
    created_at timestamptz not null,
    released_at timestamptz,
    foreign key (transfer_id, account_id, amount_cents) references transfers (id, from_account_id, amount_cents) on delete cascade
  )`,
  sql`create index transfer_holds_active on transfer_holds (account_id) where released_at is null`
]

const upstream = [
  sql`create table plaid_transfer_cursors (source text primary key, after_id bigint not null check (after_id >= 0))`,
  sql`create table plaid_transfer_events (
    source text not null references plaid_transfer_cursors,
    event_id bigint not null,
    plaid_transfer_id text not null,
    type text not null,
    reason text,
    received_at timestamptz not null,
    applied_at timestamptz,
    primary key (source, event_id)
  )`,
  sql`create index plaid_transfer_events_open on plaid_transfer_events (plaid_transfer_id, event_id) where applied_at is null`
]

/** The machine of a transfer's states: the same steps as modules/payments/transfer-states.ts has, enforced on whoever writes. */
const stateMachine = [
  sql`create function transfer_event_follows() returns trigger language plpgsql as $$
    declare
      current_state text;
      current_sequence integer;
    begin
      select state, last_sequence into strict current_state, current_sequence from transfers where id = new.transfer_id for update;
      if new.sequence <> current_sequence + 1 then
        raise exception 'event % of transfer % does not follow event %', new.sequence, new.transfer_id, current_sequence using errcode = 'check_violation';
      end if;
      if not (current_state || ' ' || new.state) = any (array['preparing submitted', 'submitted pending', 'submitted failed', 'submitted cancelled',
        'pending posted', 'pending failed', 'posted settled', 'posted returned', 'settled returned']) then
        raise exception 'transfer % cannot go from % to %', new.transfer_id, current_state, new.state using errcode = 'check_violation';
      end if;
      update transfers set state = new.state, last_sequence = new.sequence, touched_at = greatest(touched_at, new.created_at) where id = new.transfer_id;
      if new.state in ('settled', 'failed', 'returned', 'cancelled') then
        update transfer_holds set released_at = new.created_at where transfer_id = new.transfer_id and released_at is null;
      end if;
      return new;
    end $$`,
  sql`create trigger transfer_event_follows before insert on transfer_events for each row execute function transfer_event_follows()`,
  sql`create function transfer_history_stays() returns trigger language plpgsql as $$
    begin
      raise exception 'what happened to transfer % cannot be changed', old.transfer_id using errcode = 'check_violation';
    end $$`,
  sql`create trigger transfer_history_stays before update or delete on transfer_events for each row execute function transfer_history_stays()`,
  sql`create function transfer_state_is_of_events() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        if new.state <> 'preparing' then
          raise exception 'transfer % must begin as preparing', new.id using errcode = 'check_violation';
        end if;
        return new;
      end if;
      if tg_op = 'DELETE' then
        if old.state <> 'preparing' then
          raise exception 'transfer % was submitted and cannot be deleted', old.id using errcode = 'check_violation';
        end if;
        return old;
      end if;
      -- Inside the trigger of an inserted event the depth is two.
      if (new.state, new.last_sequence) is distinct from (old.state, old.last_sequence) and pg_trigger_depth() < 2 then
        raise exception 'the state of transfer % follows from its events', old.id using errcode = 'check_violation';
      end if;
      if (new.id, new.partner_id, new.environment, new.from_account_id, new.to_account_id, new.amount_cents, new.currency, new.rail)
        is distinct from (old.id, old.partner_id, old.environment, old.from_account_id, old.to_account_id, old.amount_cents, old.currency, old.rail) then
        raise exception 'what transfer % moves cannot be changed', old.id using errcode = 'check_violation';
      end if;
      return new;
    end $$`,
  sql`create trigger transfer_state_is_of_events before insert or update or delete on transfers for each row execute function transfer_state_is_of_events()`
]

/** No credit before its debit has settled, no refund beside a live credit, no leg that goes backwards. */
const legMachine = [
  sql`create function transfer_leg_is_due() returns trigger language plpgsql as $$
    begin
      perform 1 from transfers where id = new.transfer_id for update;
      if new.status <> 'wanted' then
        raise exception 'leg % must begin as wanted', new.id using errcode = 'check_violation';
      end if;
      if new.kind = 'debit' then
        return new;
      end if;
      if not exists (select 1 from transfer_legs where transfer_id = new.transfer_id and kind = 'debit' and status in ('settled', 'funds_available')) then
        raise exception 'transfer % has no settled debit to pay a % from', new.transfer_id, new.kind using errcode = 'check_violation';
      end if;
      if exists (select 1 from transfer_legs where transfer_id = new.transfer_id and kind <> 'debit' and status not in ('failed', 'returned', 'cancelled')) then
        raise exception 'transfer % pays its money out already', new.transfer_id using errcode = 'check_violation';
      end if;
      return new;
    end $$`,
  sql`create trigger transfer_leg_is_due before insert on transfer_legs for each row execute function transfer_leg_is_due()`,
  sql`create function transfer_leg_moves_on() returns trigger language plpgsql as $$
    begin
      if new.status <> old.status and not (old.status || ' ' || new.status) = any (array['wanted pending', 'wanted failed', 'wanted cancelled',
        'pending posted', 'pending failed', 'pending cancelled', 'posted settled', 'posted returned', 'settled funds_available', 'settled returned',
        'funds_available returned']) then
        raise exception 'leg % cannot go from % to %', old.id, old.status, new.status using errcode = 'check_violation';
      end if;
      if (new.id, new.transfer_id, new.amount_cents, new.kind, new.attempt, new.network)
        is distinct from (old.id, old.transfer_id, old.amount_cents, old.kind, old.attempt, old.network) then
        raise exception 'what leg % moves cannot be changed', old.id using errcode = 'check_violation';
      end if;
      if old.plaid_transfer_id is not null and new.plaid_transfer_id is distinct from old.plaid_transfer_id then
        raise exception 'leg % is another transfer at Plaid already', old.id using errcode = 'check_violation';
      end if;
      return new;
    end $$`,
  sql`create trigger transfer_leg_moves_on before update on transfer_legs for each row execute function transfer_leg_moves_on()`
]

/** The sum of the active holds of an account, kept by the database; no hold above what the bank said was there. */
const holdKeeping = [
  sql`create function transfer_hold_counts() returns trigger language plpgsql as $$
    declare
      held bigint;
    begin
      if tg_op = 'INSERT' then
        update account_funds set held_cents = held_cents + new.amount_cents where account_id = new.account_id returning held_cents into held;
        if held > new.available_cents then
          raise exception 'account % has less than is held of it', new.account_id using errcode = 'check_violation';
        end if;
        return new;
      end if;
      if tg_op = 'UPDATE' and (old.released_at is not null or new.released_at is null or (new.transfer_id, new.account_id, new.amount_cents)
        is distinct from (old.transfer_id, old.account_id, old.amount_cents)) then
        raise exception 'a hold can only be released, once' using errcode = 'check_violation';
      end if;
      if old.released_at is null then
        update account_funds set held_cents = held_cents - old.amount_cents where account_id = old.account_id;
      end if;
      return coalesce(new, old);
    end $$`,
  sql`create trigger transfer_hold_counts after insert or update or delete on transfer_holds for each row execute function transfer_hold_counts()`
]

/** Transfers, their states as an append-only history, the money movements behind them, what they hold, and recipients. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [
    ...recipients,
    ...transfers,
    ...funds,
    ...upstream,
    ...stateMachine,
    ...legMachine,
    ...holdKeeping
  ])
    await statement.execute(db)
}
