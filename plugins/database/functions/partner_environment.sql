-- The environment of what has none of its own: events of agents, the bureau and loans, the activity of agents and people,
-- and reported usage. It is live for a partner that is enabled for production, and test for any other, whose live
-- credentials are rejected. What belongs to no partner is live.
create or replace function partner_environment(p_partner_id text) returns text language sql stable as $$
  select case
    when exists (select from partners p where p.id = p_partner_id and not p.production_enabled) then 'test' else 'live' end
$$;
