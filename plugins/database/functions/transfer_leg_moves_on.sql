-- The state machine of transfer legs: a leg goes forward by legal steps, keeps what it moves, and keeps its transfer at
-- Plaid once it has one.
create or replace function transfer_leg_moves_on() returns trigger language plpgsql as $$
begin
  if new.status <> old.status and not (old.status || ' ' || new.status) = any (array[
    'wanted pending', 'wanted failed', 'wanted cancelled',
    'pending posted', 'pending failed', 'pending cancelled',
    'posted settled', 'posted returned',
    'settled funds_available', 'settled returned',
    'funds_available returned'
  ]) then
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
end $$;

create or replace trigger transfer_leg_moves_on before update on transfer_legs
  for each row execute function transfer_leg_moves_on();
