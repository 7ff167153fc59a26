-- Keeps a revoked agent revoked, and an agent with its first owner.
create or replace function agents_guard() returns trigger language plpgsql as $$
begin
  if old.status = 'revoked' and new.status <> 'revoked' then
    raise exception 'The agent % is revoked for good.', old.agent_id using errcode = 'restrict_violation';
  end if;
  if old.owner_user_id is not null and new.owner_user_id is distinct from old.owner_user_id then
    raise exception 'The agent % has an owner already.', old.agent_id using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create or replace trigger agents_guard before update on agents for each row execute function agents_guard();
