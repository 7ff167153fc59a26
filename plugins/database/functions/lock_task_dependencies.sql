-- Serializes changes to the task dependencies of one partner until the transaction ends.
create or replace function lock_task_dependencies(partner text) returns void language sql as $$
  select pg_advisory_xact_lock(hashtextextended('task dependencies of ' || partner, 0))
$$;
