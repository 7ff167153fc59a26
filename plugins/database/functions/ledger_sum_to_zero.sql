-- Rejects an insert after which the entries of a ledger transaction do not sum to zero.
create or replace function ledger_sum_to_zero() returns trigger language plpgsql as $$
declare
  unbalanced bigint;
begin
  select transaction_id into unbalanced from added group by transaction_id having sum(amount_cents) <> 0 limit 1;
  if found then
    raise exception 'The entries of the ledger transaction % do not sum to zero.', unbalanced
      using errcode = 'check_violation';
  end if;
  return null;
end $$;

create or replace trigger ledger_entries_sum_to_zero after insert on ledger_entries
  referencing new table as added for each statement execute function ledger_sum_to_zero();
