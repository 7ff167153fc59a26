-- Lets an approval be decided once and never change otherwise, so that the owner approves exactly what was requested.
create or replace function approvals_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.status <> 'pending' or new.status = 'pending' then
    raise exception 'The approval % is decided once and stays.', old.id using errcode = 'restrict_violation';
  end if;
  if row(new.id, new.agent_id, new.amount_cents, new.description, new.item_name, new.url, new.reason, new.created_at,
      new.expires_at)
    is distinct from row(old.id, old.agent_id, old.amount_cents, old.description, old.item_name, old.url, old.reason,
      old.created_at, old.expires_at) then
    raise exception 'The content of the approval % cannot change.', old.id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create or replace trigger approvals_guard before update or delete on approvals
  for each row execute function approvals_guard();
