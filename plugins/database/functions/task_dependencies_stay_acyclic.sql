-- Rejects dependencies that close a cycle, also when several transactions insert at the same time.
create or replace function task_dependencies_stay_acyclic() returns trigger language plpgsql as $$
declare
  closing text;
begin
  perform lock_task_dependencies(partner_id)
    from (select distinct partner_id from added order by partner_id) as partners;
  -- A statement of its own, so that it sees what was committed while the one above waited for the lock.
  with recursive reached (origin, id) as (
    select task_id, depends_on_id from added
    union
    select reached.origin, further.depends_on_id
    from reached join task_dependencies further on further.task_id = reached.id
  )
  select origin into closing from reached where origin = id limit 1;
  if found then
    raise exception 'task % would wait for itself', closing using errcode = 'check_violation';
  end if;
  return null;
end $$;

create or replace trigger task_dependencies_stay_acyclic after insert on task_dependencies
  referencing new table as added for each statement execute function task_dependencies_stay_acyclic();
