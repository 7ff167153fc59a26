-- Raises IK001. Called by the upsert that stores a response when the key has one already: that upsert is sent together
-- with the commit, so the server cannot check its result first.
create or replace function idempotency_key_is_answered() returns timestamptz language plpgsql as $$
begin
  raise exception 'This idempotency key has an answer already.' using errcode = 'IK001';
end $$;
