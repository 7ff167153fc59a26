-- Keeps the history of the bureau append-only: nothing is deleted.
create or replace function refuse_bureau_event_change() returns trigger language plpgsql as $$
begin
  raise exception 'The history of the bureau is append-only: % on bureau_events is refused.', tg_op
    using errcode = 'restrict_violation';
end $$;

create or replace trigger bureau_events_append_only before delete or truncate on bureau_events
  for each statement execute function refuse_bureau_event_change();
