-- Keeps the history of transfers append-only.
create or replace function transfer_history_stays() returns trigger language plpgsql as $$
begin
  raise exception 'what happened to transfer % cannot be changed', old.transfer_id using errcode = 'check_violation';
end $$;

create or replace trigger transfer_history_stays before update or delete on transfer_events
  for each row execute function transfer_history_stays();
