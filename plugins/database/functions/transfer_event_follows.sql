-- The state machine of transfers, enforced on every writer: an event must follow the last one by a legal step, moves the
-- transfer to its state, and releases the hold when that state is final. The same steps are in
-- modules/payments/transfer-states.ts; a test compares them.
create or replace function transfer_event_follows() returns trigger language plpgsql as $$
declare
  current_state text;
  current_sequence integer;
begin
  select state, last_sequence into strict current_state, current_sequence
    from transfers where id = new.transfer_id for update;
  if new.sequence <> current_sequence + 1 then
    raise exception 'event % of transfer % does not follow event %', new.sequence, new.transfer_id, current_sequence
      using errcode = 'check_violation';
  end if;
  if not (current_state || ' ' || new.state) = any (array[
    'preparing submitted',
    'submitted pending', 'submitted failed', 'submitted cancelled',
    'pending posted', 'pending failed',
    'posted settled', 'posted returned',
    'settled returned'
  ]) then
    raise exception 'transfer % cannot go from % to %', new.transfer_id, current_state, new.state
      using errcode = 'check_violation';
  end if;
  update transfers
    set state = new.state, last_sequence = new.sequence, touched_at = greatest(touched_at, new.created_at)
    where id = new.transfer_id;
  if new.state in ('settled', 'failed', 'returned', 'cancelled') then
    update transfer_holds set released_at = new.created_at
      where transfer_id = new.transfer_id and released_at is null;
  end if;
  return new;
end $$;

create or replace trigger transfer_event_follows before insert on transfer_events
  for each row execute function transfer_event_follows();
