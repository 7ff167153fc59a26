-- Keeps the sum of the active holds of each account, and rejects a hold that exceeds what the bank reported as available.
create or replace function transfer_hold_counts() returns trigger language plpgsql as $$
declare
  held bigint;
begin
  if tg_op = 'INSERT' then
    update account_funds set held_cents = held_cents + new.amount_cents
      where account_id = new.account_id returning held_cents into held;
    if held > new.available_cents then
      raise exception 'account % has less than is held of it', new.account_id using errcode = 'check_violation';
    end if;
    return new;
  end if;
  if tg_op = 'UPDATE' and (old.released_at is not null or new.released_at is null
    or (new.transfer_id, new.account_id, new.amount_cents)
      is distinct from (old.transfer_id, old.account_id, old.amount_cents)) then
    raise exception 'a hold can only be released, once' using errcode = 'check_violation';
  end if;
  if old.released_at is null then
    update account_funds set held_cents = held_cents - old.amount_cents where account_id = old.account_id;
  end if;
  return coalesce(new, old);
end $$;

create or replace trigger transfer_hold_counts after insert or update or delete on transfer_holds
  for each row execute function transfer_hold_counts();
