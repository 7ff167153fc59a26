create table activity (
  id bigint not null generated always as identity,
  partner_id text,
  at timestamp with time zone not null,
  actor_type text not null,
  actor_id text not null,
  operation_id text not null,
  method text not null,
  route text not null,
  resource_id text,
  ip text not null,
  request_id text not null
);

create table check_results (
  name text not null,
  status text not null,
  detail text not null,
  at timestamp with time zone not null
);

create table credentials (
  id text not null,
  hash bytea not null,
  kind text not null,
  partner_id text,
  user_id text,
  agent_id text,
  name text not null,
  environment text not null,
  scopes text[] not null default '{}'::text[],
  allowed_ips text[],
  hint text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone
);

create table events (
  id text not null,
  position bigint not null generated always as identity,
  partner_id text not null,
  type text not null,
  data jsonb not null,
  created_at timestamp with time zone not null,
  sequence bigint,
  published_at timestamp with time zone
);

create table idempotency_keys (
  tenant text not null,
  key text not null,
  operation_id text not null,
  body_hash bytea not null,
  status smallint not null,
  answer bytea not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
);

create table memberships (
  user_id text not null,
  partner_id text not null,
  role text not null
);

create table partners (
  id text not null,
  name text not null,
  production_enabled boolean not null default false,
  rate_overrides jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null
);

create table refresh_tokens (
  hash bytea not null,
  session_id text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone
);

create table sessions (
  id text not null,
  user_id text not null,
  partner_id text not null,
  ip text not null,
  user_agent text,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  revoked_at timestamp with time zone
);

create table stripe_sim_disputes (
  id text not null,
  sequence bigint not null generated always as identity,
  payment_intent_id text not null,
  amount_cents bigint not null,
  reason text not null,
  created_at timestamp with time zone not null
);

create table stripe_sim_events (
  id text not null,
  sequence bigint not null generated always as identity,
  type text not null,
  body text not null,
  state text not null,
  attempts integer not null default 0,
  next_attempt_at timestamp with time zone not null,
  leased_until timestamp with time zone,
  last_error text,
  created_at timestamp with time zone not null
);

create table stripe_sim_idempotency_keys (
  key text not null,
  fingerprint text not null,
  request_id text not null,
  status integer,
  body text,
  created_at timestamp with time zone not null
);

create table stripe_sim_payments (
  payment_intent_id text not null,
  charge_id text not null,
  session_id text not null,
  sequence bigint not null generated always as identity,
  currency text not null,
  amount_cents bigint not null,
  refunded_cents bigint not null default 0,
  disputed boolean not null default false,
  details jsonb not null,
  created_at timestamp with time zone not null
);

create table stripe_sim_refunds (
  id text not null,
  sequence bigint not null generated always as identity,
  payment_intent_id text not null,
  amount_cents bigint not null,
  reason text,
  metadata jsonb not null,
  created_at timestamp with time zone not null
);

create table stripe_sim_sessions (
  id text not null,
  sequence bigint not null generated always as identity,
  status text not null default 'open'::text,
  currency text not null,
  amount_cents bigint not null,
  details jsonb not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
);

create table usage_events (
  id bigint not null generated always as identity,
  partner_id text not null,
  event_type text not null,
  user_id text,
  amount_cents bigint,
  category text,
  institution text,
  occurred_at timestamp with time zone not null,
  event_id text,
  received_at timestamp with time zone not null
);

create table users (
  id text not null,
  email text not null,
  name text not null,
  password_hash text not null,
  operator boolean not null default false,
  preferences jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null
);

alter table activity add constraint activity_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table activity add constraint activity_pkey PRIMARY KEY (id);
alter table check_results add constraint check_results_pkey PRIMARY KEY (name);
alter table check_results add constraint check_results_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'failed'::text])));
alter table credentials add constraint credentials_check CHECK (((kind = 'agent_key'::text) = (agent_id IS NOT NULL)));
alter table credentials add constraint credentials_check1 CHECK (((kind = 'agent_key'::text) OR (partner_id IS NOT NULL)));
alter table credentials add constraint credentials_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table credentials add constraint credentials_hash_key UNIQUE (hash);
alter table credentials add constraint credentials_kind_check CHECK ((kind = ANY (ARRAY['partner_key'::text, 'token'::text, 'agent_key'::text])));
alter table credentials add constraint credentials_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table credentials add constraint credentials_pkey PRIMARY KEY (id);
alter table credentials add constraint credentials_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table events add constraint events_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table events add constraint events_partner_id_sequence_key UNIQUE (partner_id, sequence);
alter table events add constraint events_pkey PRIMARY KEY (id);
alter table events add constraint events_position_key UNIQUE ("position");
alter table idempotency_keys add constraint idempotency_keys_pkey PRIMARY KEY (tenant, key);
alter table idempotency_keys add constraint idempotency_keys_status_check CHECK (((status >= 200) AND (status <= 299)));
alter table memberships add constraint memberships_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table memberships add constraint memberships_pkey PRIMARY KEY (user_id, partner_id);
alter table memberships add constraint memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text])));
alter table memberships add constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table partners add constraint partners_pkey PRIMARY KEY (id);
alter table refresh_tokens add constraint refresh_tokens_pkey PRIMARY KEY (hash);
alter table refresh_tokens add constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE;
alter table sessions add constraint sessions_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table sessions add constraint sessions_pkey PRIMARY KEY (id);
alter table sessions add constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table stripe_sim_disputes add constraint stripe_sim_disputes_amount_cents_check CHECK ((amount_cents > 0));
alter table stripe_sim_disputes add constraint stripe_sim_disputes_payment_intent_id_fkey FOREIGN KEY (payment_intent_id) REFERENCES stripe_sim_payments(payment_intent_id);
alter table stripe_sim_disputes add constraint stripe_sim_disputes_payment_intent_id_key UNIQUE (payment_intent_id);
alter table stripe_sim_disputes add constraint stripe_sim_disputes_pkey PRIMARY KEY (id);
alter table stripe_sim_disputes add constraint stripe_sim_disputes_sequence_key UNIQUE (sequence);
alter table stripe_sim_events add constraint stripe_sim_events_attempts_check CHECK ((attempts >= 0));
alter table stripe_sim_events add constraint stripe_sim_events_pkey PRIMARY KEY (id);
alter table stripe_sim_events add constraint stripe_sim_events_sequence_key UNIQUE (sequence);
alter table stripe_sim_events add constraint stripe_sim_events_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'held'::text, 'delivered'::text, 'failed'::text])));
alter table stripe_sim_idempotency_keys add constraint stripe_sim_idempotency_keys_pkey PRIMARY KEY (key);
alter table stripe_sim_payments add constraint stripe_sim_payments_amount_cents_check CHECK ((amount_cents > 0));
alter table stripe_sim_payments add constraint stripe_sim_payments_charge_id_key UNIQUE (charge_id);
alter table stripe_sim_payments add constraint stripe_sim_payments_check CHECK (((refunded_cents >= 0) AND (refunded_cents <= amount_cents)));
alter table stripe_sim_payments add constraint stripe_sim_payments_pkey PRIMARY KEY (payment_intent_id);
alter table stripe_sim_payments add constraint stripe_sim_payments_sequence_key UNIQUE (sequence);
alter table stripe_sim_payments add constraint stripe_sim_payments_session_id_fkey FOREIGN KEY (session_id) REFERENCES stripe_sim_sessions(id);
alter table stripe_sim_payments add constraint stripe_sim_payments_session_id_key UNIQUE (session_id);
alter table stripe_sim_refunds add constraint stripe_sim_refunds_amount_cents_check CHECK ((amount_cents > 0));
alter table stripe_sim_refunds add constraint stripe_sim_refunds_payment_intent_id_fkey FOREIGN KEY (payment_intent_id) REFERENCES stripe_sim_payments(payment_intent_id);
alter table stripe_sim_refunds add constraint stripe_sim_refunds_pkey PRIMARY KEY (id);
alter table stripe_sim_refunds add constraint stripe_sim_refunds_sequence_key UNIQUE (sequence);
alter table stripe_sim_sessions add constraint stripe_sim_sessions_amount_cents_check CHECK ((amount_cents > 0));
alter table stripe_sim_sessions add constraint stripe_sim_sessions_check CHECK ((expires_at > created_at));
alter table stripe_sim_sessions add constraint stripe_sim_sessions_currency_check CHECK ((currency ~ '^[a-z]{3}$'::text));
alter table stripe_sim_sessions add constraint stripe_sim_sessions_pkey PRIMARY KEY (id);
alter table stripe_sim_sessions add constraint stripe_sim_sessions_sequence_key UNIQUE (sequence);
alter table stripe_sim_sessions add constraint stripe_sim_sessions_status_check CHECK ((status = ANY (ARRAY['open'::text, 'complete'::text, 'expired'::text])));
alter table usage_events add constraint usage_events_event_type_check CHECK ((event_type = ANY (ARRAY['user_signup'::text, 'account_link'::text, 'transaction'::text])));
alter table usage_events add constraint usage_events_partner_id_event_id_key UNIQUE (partner_id, event_id);
alter table usage_events add constraint usage_events_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_events add constraint usage_events_pkey PRIMARY KEY (id);
alter table users add constraint users_pkey PRIMARY KEY (id);

CREATE INDEX activity_partner ON public.activity USING btree (partner_id, id DESC);
CREATE UNIQUE INDEX credentials_one_key_an_agent ON public.credentials USING btree (agent_id) WHERE (revoked_at IS NULL);
CREATE INDEX credentials_partner ON public.credentials USING btree (partner_id, kind, created_at DESC, id DESC);
CREATE INDEX events_unpublished ON public.events USING btree ("position") WHERE (published_at IS NULL);
CREATE INDEX idempotency_keys_expiry ON public.idempotency_keys USING btree (expires_at);
CREATE INDEX memberships_partner ON public.memberships USING btree (partner_id);
CREATE INDEX refresh_tokens_session ON public.refresh_tokens USING btree (session_id);
CREATE INDEX sessions_user ON public.sessions USING btree (user_id, created_at DESC, id DESC);
CREATE INDEX stripe_sim_events_pending ON public.stripe_sim_events USING btree (next_attempt_at) WHERE (state = 'pending'::text);
CREATE INDEX stripe_sim_refunds_payment ON public.stripe_sim_refunds USING btree (payment_intent_id);
CREATE INDEX stripe_sim_sessions_open ON public.stripe_sim_sessions USING btree (expires_at) WHERE (status = 'open'::text);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (lower(email));
