-- Rejects an approval that is inserted as decided.
create or replace function approvals_begin_pending() returns trigger language plpgsql as $$
begin
  raise exception 'An approval begins as pending.' using errcode = 'restrict_violation';
end $$;

create or replace trigger approvals_begin_pending before insert on approvals
  for each row when (new.status <> 'pending') execute function approvals_begin_pending();
