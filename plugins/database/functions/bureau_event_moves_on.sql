-- The state machine of reports: whether a report counts changes by legal steps only, and what was reported stays. A
-- report can be disputed once, and one by the agent's own furnisher never counts again.
create or replace function bureau_event_moves_on() returns trigger language plpgsql as $$
begin
  if not (old.state || ' ' || new.state) = any (array[
    'counted disputed', 'counted own_agent',
    'disputed confirmed', 'disputed dropped', 'disputed own_agent',
    'confirmed own_agent',
    'dropped own_agent'
  ]) then
    raise exception 'The history of the bureau is append-only: report % cannot go from % to %.', old.id, old.state, new.state
      using errcode = 'restrict_violation';
  end if;
  if (new.id, new.agent_id, new.kind, new.amount_cents, new.account_id, new.partner_id, new.reporter_name,
      new.reporter_platform, new.notes, new.created_at)
    is distinct from (old.id, old.agent_id, old.kind, old.amount_cents, old.account_id, old.partner_id,
      old.reporter_name, old.reporter_platform, old.notes, old.created_at) then
    raise exception 'The history of the bureau is append-only: the content of report % cannot change.', old.id
      using errcode = 'restrict_violation';
  end if;
  if new.state <> 'disputed'
    and (new.disputed_at, new.dispute_reason) is distinct from (old.disputed_at, old.dispute_reason) then
    raise exception 'The history of the bureau is append-only: the dispute of report % cannot change.', old.id
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create or replace trigger bureau_event_moves_on before update on bureau_events
  for each row execute function bureau_event_moves_on();
