-- Rejects updates of task dependencies, which task_dependencies_stay_acyclic does not check.
create or replace function refuse_task_dependency_change() returns trigger language plpgsql as $$
begin
  raise exception 'a dependency is inserted or deleted, never changed' using errcode = 'restrict_violation';
end $$;

create or replace trigger task_dependencies_are_replaced before update on task_dependencies
  for each statement execute function refuse_task_dependency_change();
