-- Lets the state of a transfer change by its events alone, keeps what it moves, and lets it be deleted only before it was
-- submitted.
create or replace function transfer_state_is_of_events() returns trigger language plpgsql as $$
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
  -- The update that transfer_event_follows runs has depth 2.
  if (new.state, new.last_sequence) is distinct from (old.state, old.last_sequence) and pg_trigger_depth() < 2 then
    raise exception 'the state of transfer % follows from its events', old.id using errcode = 'check_violation';
  end if;
  if (new.id, new.partner_id, new.environment, new.from_account_id, new.to_account_id, new.amount_cents, new.currency,
      new.credit_rail)
    is distinct from (old.id, old.partner_id, old.environment, old.from_account_id, old.to_account_id,
      old.amount_cents, old.currency, old.credit_rail) then
    raise exception 'what transfer % moves cannot be changed', old.id using errcode = 'check_violation';
  end if;
  return new;
end $$;

create or replace trigger transfer_state_is_of_events before insert or update or delete on transfers
  for each row execute function transfer_state_is_of_events();
