import { sql, type Kysely } from 'kysely'

const tables = [
  sql`create table ledger_wallets (
    wallet_id text primary key,
    balance_cents bigint not null default 0 constraint ledger_wallet_not_below_zero check (balance_cents >= 0),
    created_at timestamptz not null
  )`,
  sql`create table ledger_transactions (
    id bigint generated always as identity primary key,
    type text not null check (type in ('earn', 'spend', 'loan', 'repayment', 'refund', 'adjustment')),
    description text not null,
    reference text unique,
    created_at timestamptz not null
  )`,
  // A system account has no row of its own anywhere: what it holds is only ever summed, so that nobody queues for it.
  sql`create table ledger_entries (
    transaction_id bigint not null references ledger_transactions,
    account text not null,
    wallet_id text references ledger_wallets,
    amount_cents bigint not null check (amount_cents <> 0),
    balance_after_cents bigint check (balance_after_cents >= 0),
    primary key (transaction_id, account),
    check ((wallet_id is null) = (balance_after_cents is null)),
    check (case when wallet_id is null
      then account in ('system:topup', 'system:spend', 'system:loan', 'system:adjustment')
      else account = 'wallet:' || wallet_id end)
  )`,
  sql`create index ledger_entries_wallet on ledger_entries (wallet_id, transaction_id desc) where wallet_id is not null`
]

const guards = [
  sql`create function ledger_refuse() returns trigger language plpgsql as $$
    begin
      raise exception 'The ledger refuses % on %: %', tg_op, tg_table_name, tg_argv[0] using errcode = 'restrict_violation';
    end $$`,
  sql`create trigger ledger_transactions_immutable before update or delete on ledger_transactions
    for each row execute function ledger_refuse('what is booked stays; book the opposite instead')`,
  sql`create trigger ledger_entries_immutable before update or delete on ledger_entries
    for each row execute function ledger_refuse('what is booked stays; book the opposite instead')`,
  sql`create trigger ledger_transactions_kept before truncate on ledger_transactions
    for each statement execute function ledger_refuse('what is booked stays')`,
  sql`create trigger ledger_entries_kept before truncate on ledger_entries
    for each statement execute function ledger_refuse('what is booked stays')`,
  // An update from inside the entries' trigger has depth 1 here; one that anybody else writes has depth 0.
  sql`create trigger ledger_wallets_moved_by_entries before update or delete on ledger_wallets
    for each row when (pg_trigger_depth() = 0) execute function ledger_refuse('a balance moves by entries alone')`,
  sql`create trigger ledger_wallets_kept before truncate on ledger_wallets
    for each statement execute function ledger_refuse('a balance moves by entries alone')`,
  sql`create trigger ledger_wallets_begin_empty before insert on ledger_wallets
    for each row when (new.balance_cents <> 0) execute function ledger_refuse('a wallet begins empty')`,
  // The entry itself moves the balance, so that a balance is the sum of its entries whoever writes them.
  sql`create function ledger_move_balance() returns trigger language plpgsql as $$
    begin
      update ledger_wallets set balance_cents = balance_cents + new.amount_cents
        where wallet_id = new.wallet_id returning balance_cents into new.balance_after_cents;
      return new;
    end $$`,
  sql`create trigger ledger_entries_move_balance before insert on ledger_entries
    for each row when (new.wallet_id is not null) execute function ledger_move_balance()`,
  sql`create function ledger_sum_to_zero() returns trigger language plpgsql as $$
    declare crooked bigint;
    begin
      select transaction_id into crooked from added group by transaction_id having sum(amount_cents) <> 0 limit 1;
      if found then
        raise exception 'The entries of the ledger transaction % do not sum to zero.', crooked using errcode = 'check_violation';
      end if;
      return null;
    end $$`,
  sql`create trigger ledger_entries_sum_to_zero after insert on ledger_entries referencing new table as added
    for each statement execute function ledger_sum_to_zero()`
]

const entryPoint = sql`create function ledger_post(
    p_wallet_id text, p_type text, p_amount_cents bigint, p_description text, p_reference text, p_at timestamptz,
    out outcome text, out transaction_id bigint, out balance_cents bigint)
  language plpgsql as $$
  declare
    counter_account text;
    booked_cents bigint;
  begin
    if p_amount_cents = 0 or (p_type in ('earn', 'loan') and p_amount_cents < 0) or (p_type in ('spend', 'repayment', 'refund') and p_amount_cents > 0) then
      raise exception 'A ledger transaction of the type % cannot move % cents.', p_type, p_amount_cents using errcode = 'check_violation';
    end if;
    -- Whoever holds the wallet's row decides alone; keys that refer to it are not held up.
    select w.balance_cents into balance_cents from ledger_wallets w where w.wallet_id = p_wallet_id for no key update;
    if not found then
      raise exception 'There is no wallet %.', p_wallet_id using errcode = 'foreign_key_violation';
    end if;
    if p_reference is not null then
      select t.id, e.amount_cents into transaction_id, booked_cents
        from ledger_transactions t left join ledger_entries e on e.transaction_id = t.id and e.wallet_id = p_wallet_id
        where t.reference = p_reference;
      if found then
        if booked_cents is distinct from p_amount_cents then
          raise exception 'The reference % is booked already with another content.', p_reference using errcode = 'unique_violation';
        end if;
        outcome := 'repeated';
        return;
      end if;
    end if;
    if balance_cents + p_amount_cents < 0 then
      outcome := 'insufficient';
      return;
    end if;
    insert into ledger_transactions (type, description, reference, created_at)
      values (p_type, p_description, p_reference, p_at) returning id into transaction_id;
    counter_account := case p_type
      when 'earn' then 'system:topup' when 'refund' then 'system:topup'
      when 'spend' then 'system:spend'
      when 'loan' then 'system:loan' when 'repayment' then 'system:loan'
      else 'system:adjustment' end;
    insert into ledger_entries (transaction_id, account, wallet_id, amount_cents) values
      (transaction_id, 'wallet:' || p_wallet_id, p_wallet_id, p_amount_cents),
      (transaction_id, counter_account, null, -p_amount_cents);
    balance_cents := balance_cents + p_amount_cents;
    outcome := 'posted';
  end $$`

/** The book of credits: wallets, immutable double entries, and the one function through which they come in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of [...tables, ...guards, entryPoint]) await statement.execute(db)
}
