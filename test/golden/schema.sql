create table accounts (
  id text not null,
  item_id text not null,
  plaid_account_id text not null,
  ordinal integer not null,
  name text not null,
  mask text,
  type text not null,
  subtype text,
  current_balance_cents bigint,
  available_balance_cents bigint,
  iso_currency_code text,
  as_of timestamp with time zone not null
);

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

create table item_public_tokens (
  partner_id text not null,
  token_hash bytea not null,
  item_id text not null,
  created_at timestamp with time zone not null
);

create table items (
  id text not null,
  partner_id text not null,
  environment text not null,
  user_id text not null,
  plaid_item_id text not null,
  access_token bytea not null,
  institution_id text,
  institution_name text,
  status text not null default 'ok'::text,
  error_code text,
  sync_cursor text,
  last_synced_at timestamp with time zone,
  syncs_wanted bigint not null default 0,
  syncs_done bigint not null default 0,
  sync_retry_at timestamp with time zone,
  created_at timestamp with time zone not null
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

create table plaid_sim_authorizations (
  authorization_id text not null,
  idempotency_key text,
  item_id text not null,
  account_id text not null,
  type text not null,
  network text not null,
  ach_class text,
  amount_cents bigint not null,
  legal_user jsonb not null,
  decision text not null,
  rationale_code text,
  created_at timestamp with time zone not null
);

create table plaid_sim_batches (
  item_id text not null,
  ordinal integer not null,
  fired_at timestamp with time zone not null
);

create table plaid_sim_counters (
  name text not null,
  value bigint not null
);

create table plaid_sim_items (
  item_id text not null,
  access_token text not null,
  institution_id text,
  client_user_id text,
  webhook text,
  products jsonb not null,
  days_requested integer,
  created_at timestamp with time zone not null,
  exchanged_at timestamp with time zone,
  login_required_at timestamp with time zone,
  removed_at timestamp with time zone,
  batch_count integer not null default 0,
  last_webhook_code text,
  last_webhook_at timestamp with time zone,
  migrated_fingerprint text,
  migrated_mask text,
  migrated_subtype text
);

create table plaid_sim_link_tokens (
  link_token text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  update_item_id text,
  request jsonb not null
);

create table plaid_sim_public_tokens (
  public_token text not null,
  item_id text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
);

create table plaid_sim_transfer_events (
  event_id bigint not null,
  transfer_id text not null,
  event_type text not null,
  failure jsonb,
  created_at timestamp with time zone not null
);

create table plaid_sim_transfers (
  transfer_id text not null,
  authorization_id text not null,
  amount_cents bigint not null,
  description text not null,
  metadata jsonb,
  status text not null,
  failure jsonb,
  created_at timestamp with time zone not null,
  next_due_at timestamp with time zone
);

create table plaid_sim_webhook_keys (
  key_id text not null,
  private_jwk jsonb not null,
  created_at timestamp with time zone not null,
  expired_at timestamp with time zone
);

create table refresh_tokens (
  hash bytea not null,
  session_id text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone
);

create table safe_to_spend (
  partner_id text not null,
  environment text not null,
  end_user_id text not null,
  calculation_id text not null,
  calculated_at timestamp with time zone not null,
  days_in_period integer not null,
  cash_after_buffer_cents bigint not null,
  bills_cents bigint not null,
  savings_cents bigint not null,
  debt_cents bigint not null,
  daily_allowance_cents bigint not null
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

create table transaction_feed_readers (
  partner_id text not null,
  user_id text not null,
  view text not null,
  position bigint not null
);

create table transaction_feeds (
  partner_id text not null,
  user_id text not null,
  head bigint not null
);

create table transactions (
  id text not null,
  partner_id text not null,
  environment text not null,
  user_id text not null,
  position bigint not null,
  removed boolean not null default false,
  latest_date date,
  item_id text,
  account_id text,
  amount_cents bigint,
  iso_currency_code text,
  date date,
  authorized_date date,
  pending boolean,
  name text,
  merchant_name text,
  category text,
  pending_transaction_id text
);

create table usage_categories (
  partner_id text not null,
  unit text not null,
  start timestamp with time zone not null,
  category text not null,
  transactions bigint not null,
  volume_cents bigint not null
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

create table usage_institutions (
  partner_id text not null,
  unit text not null,
  start timestamp with time zone not null,
  institution text not null,
  account_links bigint not null
);

create table usage_intervals (
  partner_id text not null,
  unit text not null,
  start timestamp with time zone not null,
  user_signups bigint not null,
  account_links bigint not null,
  transactions bigint not null,
  volume_cents bigint not null,
  active_users bigint not null
);

create table usage_users (
  partner_id text not null,
  unit text not null,
  start timestamp with time zone not null,
  user_id text not null
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

alter table accounts add constraint accounts_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id) ON DELETE CASCADE;
alter table accounts add constraint accounts_item_id_plaid_account_id_key UNIQUE (item_id, plaid_account_id);
alter table accounts add constraint accounts_pkey PRIMARY KEY (id);
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
alter table item_public_tokens add constraint item_public_tokens_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id) ON DELETE CASCADE;
alter table item_public_tokens add constraint item_public_tokens_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table item_public_tokens add constraint item_public_tokens_pkey PRIMARY KEY (partner_id, token_hash);
alter table items add constraint items_check CHECK ((syncs_done <= syncs_wanted));
alter table items add constraint items_check1 CHECK (((status = 'ok'::text) OR (error_code IS NOT NULL)));
alter table items add constraint items_check2 CHECK (((sync_cursor IS NULL) = (last_synced_at IS NULL)));
alter table items add constraint items_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table items add constraint items_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table items add constraint items_pkey PRIMARY KEY (id);
alter table items add constraint items_plaid_item_id_key UNIQUE (plaid_item_id);
alter table items add constraint items_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'login_required'::text, 'error'::text])));
alter table memberships add constraint memberships_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table memberships add constraint memberships_pkey PRIMARY KEY (user_id, partner_id);
alter table memberships add constraint memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text])));
alter table memberships add constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table partners add constraint partners_pkey PRIMARY KEY (id);
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_ach_class_check CHECK ((ach_class = ANY (ARRAY['ccd'::text, 'ppd'::text, 'tel'::text, 'web'::text])));
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_amount_cents_check CHECK ((amount_cents > 0));
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_decision_check CHECK ((decision = ANY (ARRAY['approved'::text, 'declined'::text, 'user_action_required'::text])));
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_item_id_fkey FOREIGN KEY (item_id) REFERENCES plaid_sim_items(item_id);
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_network_check CHECK ((network = ANY (ARRAY['ach'::text, 'same-day-ach'::text, 'rtp'::text, 'wire'::text])));
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_pkey PRIMARY KEY (authorization_id);
alter table plaid_sim_authorizations add constraint plaid_sim_authorizations_type_check CHECK ((type = ANY (ARRAY['debit'::text, 'credit'::text])));
alter table plaid_sim_batches add constraint plaid_sim_batches_item_id_fkey FOREIGN KEY (item_id) REFERENCES plaid_sim_items(item_id);
alter table plaid_sim_batches add constraint plaid_sim_batches_ordinal_check CHECK ((ordinal > 0));
alter table plaid_sim_batches add constraint plaid_sim_batches_pkey PRIMARY KEY (item_id, ordinal);
alter table plaid_sim_counters add constraint plaid_sim_counters_pkey PRIMARY KEY (name);
alter table plaid_sim_items add constraint plaid_sim_items_access_token_key UNIQUE (access_token);
alter table plaid_sim_items add constraint plaid_sim_items_batch_count_check CHECK ((batch_count >= 0));
alter table plaid_sim_items add constraint plaid_sim_items_check CHECK (((migrated_fingerprint IS NULL) = (migrated_mask IS NULL)));
alter table plaid_sim_items add constraint plaid_sim_items_check1 CHECK (((migrated_fingerprint IS NULL) = (migrated_subtype IS NULL)));
alter table plaid_sim_items add constraint plaid_sim_items_days_requested_check CHECK (((days_requested >= 1) AND (days_requested <= 730)));
alter table plaid_sim_items add constraint plaid_sim_items_migrated_subtype_check CHECK ((migrated_subtype = ANY (ARRAY['checking'::text, 'savings'::text])));
alter table plaid_sim_items add constraint plaid_sim_items_pkey PRIMARY KEY (item_id);
alter table plaid_sim_link_tokens add constraint plaid_sim_link_tokens_pkey PRIMARY KEY (link_token);
alter table plaid_sim_link_tokens add constraint plaid_sim_link_tokens_update_item_id_fkey FOREIGN KEY (update_item_id) REFERENCES plaid_sim_items(item_id);
alter table plaid_sim_public_tokens add constraint plaid_sim_public_tokens_item_id_fkey FOREIGN KEY (item_id) REFERENCES plaid_sim_items(item_id);
alter table plaid_sim_public_tokens add constraint plaid_sim_public_tokens_pkey PRIMARY KEY (public_token);
alter table plaid_sim_transfer_events add constraint plaid_sim_transfer_events_event_id_check CHECK ((event_id > 0));
alter table plaid_sim_transfer_events add constraint plaid_sim_transfer_events_pkey PRIMARY KEY (event_id);
alter table plaid_sim_transfer_events add constraint plaid_sim_transfer_events_transfer_id_event_type_key UNIQUE (transfer_id, event_type);
alter table plaid_sim_transfer_events add constraint plaid_sim_transfer_events_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES plaid_sim_transfers(transfer_id);
alter table plaid_sim_transfers add constraint plaid_sim_transfers_amount_cents_check CHECK ((amount_cents > 0));
alter table plaid_sim_transfers add constraint plaid_sim_transfers_authorization_id_fkey FOREIGN KEY (authorization_id) REFERENCES plaid_sim_authorizations(authorization_id);
alter table plaid_sim_transfers add constraint plaid_sim_transfers_authorization_id_key UNIQUE (authorization_id);
alter table plaid_sim_transfers add constraint plaid_sim_transfers_description_check CHECK (((length(description) >= 1) AND (length(description) <= 15)));
alter table plaid_sim_transfers add constraint plaid_sim_transfers_pkey PRIMARY KEY (transfer_id);
alter table plaid_sim_transfers add constraint plaid_sim_transfers_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'posted'::text, 'settled'::text, 'funds_available'::text, 'cancelled'::text, 'failed'::text, 'returned'::text])));
alter table plaid_sim_webhook_keys add constraint plaid_sim_webhook_keys_pkey PRIMARY KEY (key_id);
alter table refresh_tokens add constraint refresh_tokens_pkey PRIMARY KEY (hash);
alter table refresh_tokens add constraint refresh_tokens_session_id_fkey FOREIGN KEY (session_id) REFERENCES sessions(id) ON DELETE CASCADE;
alter table safe_to_spend add constraint safe_to_spend_bills_cents_check CHECK ((bills_cents >= 0));
alter table safe_to_spend add constraint safe_to_spend_daily_allowance_cents_check CHECK ((daily_allowance_cents >= 0));
alter table safe_to_spend add constraint safe_to_spend_days_in_period_check CHECK (((days_in_period >= 1) AND (days_in_period <= 366)));
alter table safe_to_spend add constraint safe_to_spend_debt_cents_check CHECK ((debt_cents >= 0));
alter table safe_to_spend add constraint safe_to_spend_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table safe_to_spend add constraint safe_to_spend_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table safe_to_spend add constraint safe_to_spend_pkey PRIMARY KEY (partner_id, environment, end_user_id);
alter table safe_to_spend add constraint safe_to_spend_savings_cents_check CHECK ((savings_cents >= 0));
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
alter table transaction_feed_readers add constraint transaction_feed_readers_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table transaction_feed_readers add constraint transaction_feed_readers_pkey PRIMARY KEY (partner_id, user_id, view);
alter table transaction_feed_readers add constraint transaction_feed_readers_position_check CHECK (("position" >= 0));
alter table transaction_feed_readers add constraint transaction_feed_readers_view_check CHECK ((view = ANY (ARRAY['test'::text, 'live'::text, 'all'::text])));
alter table transaction_feeds add constraint transaction_feeds_head_check CHECK ((head >= 0));
alter table transaction_feeds add constraint transaction_feeds_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table transaction_feeds add constraint transaction_feeds_pkey PRIMARY KEY (partner_id, user_id);
alter table transactions add constraint transactions_account_id_fkey FOREIGN KEY (account_id) REFERENCES accounts(id);
alter table transactions add constraint transactions_check CHECK (
CASE
    WHEN removed THEN (num_nonnulls(account_id, amount_cents, date, pending, name, merchant_name, category) = 0)
    ELSE (num_nonnulls(item_id, account_id, amount_cents, date, latest_date, pending, name) = 7)
END);
alter table transactions add constraint transactions_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table transactions add constraint transactions_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id);
alter table transactions add constraint transactions_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table transactions add constraint transactions_partner_id_user_id_position_key UNIQUE (partner_id, user_id, "position");
alter table transactions add constraint transactions_pkey PRIMARY KEY (id);
alter table transactions add constraint transactions_position_check CHECK (("position" > 0));
alter table usage_categories add constraint usage_categories_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_categories add constraint usage_categories_pkey PRIMARY KEY (partner_id, unit, start, category);
alter table usage_categories add constraint usage_categories_transactions_check CHECK ((transactions >= 0));
alter table usage_categories add constraint usage_categories_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table usage_categories add constraint usage_categories_volume_cents_check CHECK ((volume_cents >= 0));
alter table usage_events add constraint usage_events_amount_cents_check CHECK ((amount_cents >= 0));
alter table usage_events add constraint usage_events_check CHECK (((event_type = 'transaction'::text) OR ((amount_cents IS NULL) AND (category IS NULL))));
alter table usage_events add constraint usage_events_check1 CHECK (((event_type = 'account_link'::text) OR (institution IS NULL)));
alter table usage_events add constraint usage_events_event_type_check CHECK ((event_type = ANY (ARRAY['user_signup'::text, 'account_link'::text, 'transaction'::text])));
alter table usage_events add constraint usage_events_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_events add constraint usage_events_pkey PRIMARY KEY (id);
alter table usage_institutions add constraint usage_institutions_account_links_check CHECK ((account_links >= 0));
alter table usage_institutions add constraint usage_institutions_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_institutions add constraint usage_institutions_pkey PRIMARY KEY (partner_id, unit, start, institution);
alter table usage_institutions add constraint usage_institutions_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table usage_intervals add constraint usage_intervals_account_links_check CHECK ((account_links >= 0));
alter table usage_intervals add constraint usage_intervals_active_users_check CHECK ((active_users >= 0));
alter table usage_intervals add constraint usage_intervals_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_intervals add constraint usage_intervals_pkey PRIMARY KEY (partner_id, unit, start);
alter table usage_intervals add constraint usage_intervals_transactions_check CHECK ((transactions >= 0));
alter table usage_intervals add constraint usage_intervals_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table usage_intervals add constraint usage_intervals_user_signups_check CHECK ((user_signups >= 0));
alter table usage_intervals add constraint usage_intervals_volume_cents_check CHECK ((volume_cents >= 0));
alter table usage_users add constraint usage_users_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_users add constraint usage_users_pkey PRIMARY KEY (partner_id, unit, start, user_id);
alter table usage_users add constraint usage_users_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table users add constraint users_pkey PRIMARY KEY (id);

CREATE INDEX activity_partner ON public.activity USING btree (partner_id, id DESC);
CREATE UNIQUE INDEX credentials_one_key_an_agent ON public.credentials USING btree (agent_id) WHERE (revoked_at IS NULL);
CREATE INDEX credentials_partner ON public.credentials USING btree (partner_id, kind, created_at DESC, id DESC);
CREATE INDEX events_unpublished ON public.events USING btree ("position") WHERE (published_at IS NULL);
CREATE INDEX idempotency_keys_expiry ON public.idempotency_keys USING btree (expires_at);
CREATE INDEX item_public_tokens_item ON public.item_public_tokens USING btree (item_id);
CREATE INDEX items_to_sync ON public.items USING btree (sync_retry_at, id) WHERE (syncs_wanted > syncs_done);
CREATE INDEX items_user ON public.items USING btree (partner_id, user_id, created_at DESC, id DESC);
CREATE INDEX memberships_partner ON public.memberships USING btree (partner_id);
CREATE INDEX plaid_sim_authorizations_key ON public.plaid_sim_authorizations USING btree (idempotency_key, created_at) WHERE (idempotency_key IS NOT NULL);
CREATE UNIQUE INDEX plaid_sim_items_migrated ON public.plaid_sim_items USING btree (migrated_fingerprint) WHERE (removed_at IS NULL);
CREATE INDEX plaid_sim_transfers_due ON public.plaid_sim_transfers USING btree (next_due_at) WHERE (next_due_at IS NOT NULL);
CREATE UNIQUE INDEX plaid_sim_webhook_keys_active ON public.plaid_sim_webhook_keys USING btree (((expired_at IS NULL))) WHERE (expired_at IS NULL);
CREATE INDEX refresh_tokens_session ON public.refresh_tokens USING btree (session_id);
CREATE INDEX sessions_user ON public.sessions USING btree (user_id, created_at DESC, id DESC);
CREATE INDEX stripe_sim_events_pending ON public.stripe_sim_events USING btree (next_attempt_at) WHERE (state = 'pending'::text);
CREATE INDEX stripe_sim_refunds_payment ON public.stripe_sim_refunds USING btree (payment_intent_id);
CREATE INDEX stripe_sim_sessions_open ON public.stripe_sim_sessions USING btree (expires_at) WHERE (status = 'open'::text);
CREATE INDEX transactions_account ON public.transactions USING btree (account_id);
CREATE INDEX transactions_date ON public.transactions USING btree (partner_id, user_id, date) WHERE (NOT removed);
CREATE INDEX transactions_item ON public.transactions USING btree (item_id);
CREATE UNIQUE INDEX usage_events_once ON public.usage_events USING btree (partner_id, event_id) WHERE (event_id IS NOT NULL);
CREATE UNIQUE INDEX users_email_key ON public.users USING btree (lower(email));
