-- Moves the balance of a wallet by each entry inserted for it, so that a balance is always the sum of its entries.
create or replace function ledger_move_balance() returns trigger language plpgsql as $$
begin
  update ledger_wallets set balance_cents = balance_cents + new.amount_cents
    where wallet_id = new.wallet_id returning balance_cents into new.balance_after_cents;
  return new;
end $$;

create or replace trigger ledger_entries_move_balance before insert on ledger_entries
  for each row when (new.wallet_id is not null) execute function ledger_move_balance();
