-- Rejects a credit or refund before its debit has settled, and one beside another that may still succeed.
create or replace function transfer_leg_is_due() returns trigger language plpgsql as $$
begin
  perform 1 from transfers where id = new.transfer_id for update;
  if new.status <> 'wanted' then
    raise exception 'leg % must begin as wanted', new.id using errcode = 'check_violation';
  end if;
  if new.kind = 'debit' then
    return new;
  end if;
  if not exists (
    select 1 from transfer_legs
    where transfer_id = new.transfer_id and kind = 'debit' and status in ('settled', 'funds_available')
  ) then
    raise exception 'transfer % has no settled debit to pay a % from', new.transfer_id, new.kind
      using errcode = 'check_violation';
  end if;
  if exists (
    select 1 from transfer_legs
    where transfer_id = new.transfer_id and kind <> 'debit' and status not in ('failed', 'returned', 'cancelled')
  ) then
    raise exception 'transfer % pays its money out already', new.transfer_id using errcode = 'check_violation';
  end if;
  return new;
end $$;

create or replace trigger transfer_leg_is_due before insert on transfer_legs
  for each row execute function transfer_leg_is_due();
