-- Lets a loan go forward only (active, then defaulted or not, then repaid) and keeps its terms. It counts for an owner
-- once its agent has one.
create or replace function loans_guard() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' or old.status = 'repaid' or (old.status = 'defaulted' and new.status = 'active')
    or new.amount_repaid_cents < old.amount_repaid_cents
    or (old.owner_user_id is not null and new.owner_user_id is distinct from old.owner_user_id)
    or (old.late_at is not null and new.late_at is distinct from old.late_at)
    or (old.defaulted_at is not null and new.defaulted_at is distinct from old.defaulted_at)
    or row(new.id, new.agent_id, new.without_owner, new.amount_cents, new.requested_cents, new.limit_cents, new.score,
        new.purpose, new.requested_at, new.due_at)
      is distinct from row(old.id, old.agent_id, old.without_owner, old.amount_cents, old.requested_cents,
        old.limit_cents, old.score, old.purpose, old.requested_at, old.due_at)
  then
    raise exception 'Loan % goes forward only: active, perhaps defaulted, repaid; its terms stay.', old.id
      using errcode = 'restrict_violation';
  end if;
  return new;
end $$;

create or replace trigger loans_guard before update or delete on loans for each row execute function loans_guard();
