-- Keeps the book append-only: rejects the statement, with the trigger's argument as the reason.
create or replace function ledger_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'The ledger refuses % on %: %', tg_op, tg_table_name, tg_argv[0] using errcode = 'restrict_violation';
end $$;

create or replace trigger ledger_transactions_immutable before update or delete on ledger_transactions
  for each row execute function ledger_refuse('what is booked stays; book the opposite instead');

create or replace trigger ledger_entries_immutable before update or delete on ledger_entries
  for each row execute function ledger_refuse('what is booked stays; book the opposite instead');

create or replace trigger ledger_transactions_kept before truncate on ledger_transactions
  for each statement execute function ledger_refuse('what is booked stays');

create or replace trigger ledger_entries_kept before truncate on ledger_entries
  for each statement execute function ledger_refuse('what is booked stays');

-- The update that ledger_move_balance runs has depth 1 here; any other update has depth 0.
create or replace trigger ledger_wallets_moved_by_entries before update or delete on ledger_wallets
  for each row when (pg_trigger_depth() = 0) execute function ledger_refuse('a balance moves by entries alone');

create or replace trigger ledger_wallets_kept before truncate on ledger_wallets
  for each statement execute function ledger_refuse('a balance moves by entries alone');

create or replace trigger ledger_wallets_begin_empty before insert on ledger_wallets
  for each row when (new.balance_cents <> 0) execute function ledger_refuse('a wallet begins empty');
