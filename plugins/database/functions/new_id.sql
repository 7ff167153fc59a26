-- Returns an unguessable identifier in the server's format: the prefix, "_" and 22 letters and digits.
-- Base64 of 32 bytes has 44 characters; enough remain without "+", "/" and "=".
create or replace function new_id(p_prefix text) returns text language sql volatile as $$
  select p_prefix || '_' ||
    left(translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 'base64'), '+/=', ''), 22)
$$;
