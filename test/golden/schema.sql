create table account_funds (
  account_id text not null,
  held_cents bigint not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

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
  as_of timestamp with time zone not null,
  persistent_account_id text,
  closed_at timestamp with time zone,
  duplicate_of text
);

create table activity (
  id bigint not null generated always as identity,
  partner_id text,
  environment text not null,
  at timestamp with time zone not null,
  actor_type text not null,
  actor_id text not null,
  operation_id text not null,
  method text not null,
  route text not null,
  resource_id text,
  ip text not null,
  request_id text not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table agents (
  agent_id text not null,
  name text not null,
  owner_user_id text,
  owner_partner_id text,
  status text not null default 'active'::text,
  pause_reason text,
  is_verified boolean not null default false,
  daily_limit_cents bigint,
  per_transaction_limit_cents bigint,
  spent_on date,
  spent_cents bigint not null default 0,
  owed_cents bigint not null default 0,
  api_key bytea,
  created_at timestamp with time zone not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table approvals (
  id bigint not null generated always as identity,
  agent_id text not null,
  amount_cents bigint not null,
  description text not null,
  item_name text,
  url text,
  reason text not null,
  status text not null default 'pending'::text,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  decided_at timestamp with time zone,
  decided_by text,
  transaction_id bigint
);

create table bureau_accounts (
  id bigint not null generated always as identity,
  agent_id text not null,
  partner_id text not null,
  platform text not null,
  account_type text not null,
  credit_limit_cents bigint,
  opened_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  is_excluded boolean not null default false
);

create table bureau_agents (
  agent_id text not null,
  name text not null,
  owner_email text,
  platform text,
  enrolled_at timestamp with time zone not null,
  on_time bigint not null default 0,
  late bigint not null default 0,
  missed bigint not null default 0,
  disputes bigint not null default 0,
  open_accounts bigint not null default 0,
  open_limits_cents bigint not null default 0,
  debt_closed_cents bigint not null default 0
);

create table bureau_events (
  id bigint not null generated always as identity,
  agent_id text not null,
  kind text not null,
  amount_cents bigint,
  account_id bigint,
  partner_id text,
  reporter_name text not null,
  reporter_platform text not null,
  notes text,
  created_at timestamp with time zone not null,
  state text not null default 'counted'::text,
  disputed_at timestamp with time zone,
  dispute_reason text
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

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
  scopes text[],
  allowed_ips text[],
  hint text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  last_used_at timestamp with time zone,
  rotated_at timestamp with time zone,
  revoked_at timestamp with time zone
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table end_user_time_zones (
  partner_id text not null,
  environment text not null,
  user_id text not null,
  time_zone text not null
);

create table event_sequences (
  partner_id text not null,
  environment text not null,
  last bigint not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table events (
  id text not null,
  position bigint not null generated always as identity,
  partner_id text not null,
  environment text not null,
  type text not null,
  data jsonb not null,
  created_at timestamp with time zone not null,
  sequence bigint,
  published_at timestamp with time zone
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table idempotency_keys (
  tenant text not null,
  environment text not null,
  key text not null,
  operation_id text not null,
  target_hash bytea not null,
  body_hash bytea not null,
  status smallint not null,
  answer bytea not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

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
  history text not null default 'loading'::text,
  new_accounts_available boolean not null default false,
  access_ends_at timestamp with time zone,
  syncs_wanted bigint not null default 0,
  syncs_done bigint not null default 0,
  sync_retry_at timestamp with time zone,
  created_at timestamp with time zone not null,
  removal_began_at timestamp with time zone
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table ledger_entries (
  transaction_id bigint not null,
  account text not null,
  wallet_id text,
  amount_cents bigint not null,
  balance_after_cents bigint
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table ledger_transactions (
  id bigint not null generated always as identity,
  type text not null,
  description text not null,
  reference text,
  created_at timestamp with time zone not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table ledger_wallets (
  wallet_id text not null,
  balance_cents bigint not null default 0,
  created_at timestamp with time zone not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table loans (
  id bigint not null generated always as identity,
  agent_id text not null,
  owner_user_id text,
  without_owner boolean not null,
  amount_cents bigint not null,
  amount_repaid_cents bigint not null default 0,
  status text not null default 'active'::text,
  purpose text,
  requested_cents bigint not null,
  limit_cents bigint not null,
  score smallint not null,
  requested_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  late_at timestamp with time zone,
  defaulted_at timestamp with time zone,
  repaid_at timestamp with time zone,
  on_time_at timestamp with time zone
);

create table memberships (
  user_id text not null,
  partner_id text not null,
  role text not null
);

create table message_counts (
  recipient text not null,
  day date not null,
  count integer not null
);

create table notifications (
  id text not null,
  position bigint not null generated always as identity,
  user_id text not null,
  type text not null,
  message text not null,
  sms_text text,
  data jsonb not null,
  created_at timestamp with time zone not null,
  sms_status text not null,
  sms_attempts smallint not null default 0,
  sms_next_at timestamp with time zone
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table partners (
  id text not null,
  name text not null,
  production_enabled boolean not null default false,
  furnisher boolean not null default false,
  rate_overrides jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null
);

create table plaid_transfer_cursors (
  source text not null,
  after_id bigint not null
);

create table plaid_transfer_events (
  source text not null,
  event_id bigint not null,
  plaid_transfer_id text not null,
  type text not null,
  reason text,
  received_at timestamp with time zone not null,
  applied_at timestamp with time zone
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table projects (
  id text not null,
  position bigint not null generated always as identity,
  partner_id text not null,
  environment text not null,
  name text not null,
  description text,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null
);

create table quarantined_records (
  item_id text not null,
  kind text not null,
  record_key text not null,
  fault text not null,
  record jsonb,
  seen_at timestamp with time zone not null
);

create table recipients (
  id text not null,
  partner_id text not null,
  environment text not null,
  user_id text,
  name text not null,
  routing_number text not null,
  account_number bytea,
  mask text not null,
  account_type text not null,
  plaid_account_id text not null,
  access_token bytea,
  created_at timestamp with time zone not null,
  deleted_at timestamp with time zone
);

create table refresh_tokens (
  hash bytea not null,
  session_id text not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  repeated_at timestamp with time zone
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

create table served_forecasts (
  id text not null,
  partner_id text not null,
  view text not null,
  user_id text not null,
  currency text not null,
  horizon_days integer not null,
  day date not null,
  served_at timestamp with time zone not null,
  basis text not null,
  account_ids text[] not null,
  balance_cents bigint not null,
  mean_daily_flow_cents bigint not null,
  projected_cents bigint[] not null,
  low_cents bigint[] not null,
  high_cents bigint[] not null,
  counted_ids text[] not null
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
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table stripe_events (
  id text not null,
  type text not null,
  received_at timestamp with time zone not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table stripe_payments (
  session_id text not null,
  agent_id text not null,
  amount_cents bigint not null,
  status text not null default 'open'::text,
  payment_intent_id text,
  transaction_id bigint,
  credits_cents bigint not null default 0,
  reversed_cents bigint not null default 0,
  presented_amount bigint,
  presented_currency text,
  refusal text,
  refunded_at timestamp with time zone,
  created_at timestamp with time zone not null,
  paid_at timestamp with time zone
);

create table stripe_reversals (
  source_id text not null,
  payment_intent_id text not null,
  kind text not null,
  amount bigint not null,
  currency text not null,
  is_void boolean not null,
  updated_at timestamp with time zone not null
);

create table task_dependencies (
  partner_id text not null,
  environment text not null,
  task_id text not null,
  ordinal smallint not null,
  depends_on_id text not null
);

create table tasks (
  id text not null,
  position bigint not null generated always as identity,
  partner_id text not null,
  environment text not null,
  project_id text not null,
  title text not null,
  description text,
  priority text not null,
  due_on timestamp with time zone,
  status text not null,
  version integer not null default 1,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null
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
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

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
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table transfer_events (
  transfer_id text not null,
  sequence integer not null,
  state text not null,
  reason text,
  created_at timestamp with time zone not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table transfer_holds (
  transfer_id text not null,
  account_id text not null,
  amount_cents bigint not null,
  available_cents bigint,
  created_at timestamp with time zone not null,
  released_at timestamp with time zone
);

create table transfer_legs (
  id text not null,
  transfer_id text not null,
  amount_cents bigint not null,
  kind text not null,
  attempt integer not null,
  network text not null,
  status text not null,
  authorization_attempt integer not null default 1,
  authorization_id text,
  authorized_at timestamp with time zone,
  plaid_transfer_id text,
  reason text,
  retry_at timestamp with time zone,
  created_at timestamp with time zone not null
);

create table transfers (
  id text not null,
  partner_id text not null,
  environment text not null,
  request_key text,
  user_id text not null,
  from_account_id text not null,
  to_account_id text not null,
  amount_cents bigint not null,
  currency text not null,
  memo text,
  legal_name text,
  credit_rail text not null,
  state text not null default 'preparing'::text,
  last_sequence integer not null default 0,
  created_at timestamp with time zone not null,
  touched_at timestamp with time zone not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table usage_categories (
  partner_id text not null,
  environment text not null,
  unit text not null,
  start timestamp with time zone not null,
  category text not null,
  transactions bigint not null,
  volume_cents bigint not null
);

create table usage_events (
  id bigint not null generated always as identity,
  partner_id text not null,
  environment text not null,
  event_type text not null,
  user_id text,
  amount_cents bigint,
  category text,
  institution text,
  occurred_at timestamp with time zone not null,
  event_id text,
  received_at timestamp with time zone not null,
  corrects text,
  transactions smallint not null default 0
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table usage_institutions (
  partner_id text not null,
  environment text not null,
  unit text not null,
  start timestamp with time zone not null,
  institution text not null,
  account_links bigint not null
);

create table usage_intervals (
  partner_id text not null,
  environment text not null,
  unit text not null,
  start timestamp with time zone not null,
  user_signups bigint not null,
  account_links bigint not null,
  transactions bigint not null,
  volume_cents bigint not null,
  active_users bigint not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

create table usage_users (
  partner_id text not null,
  environment text not null,
  unit text not null,
  start timestamp with time zone not null,
  user_id text not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table users (
  id text not null,
  email text not null,
  email_key text not null,
  email_verified_at timestamp with time zone,
  phone text,
  name text not null,
  password_hash text not null,
  operator boolean not null default false,
  preferences jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null
);

create table verification_codes (
  user_id text not null,
  kind text not null,
  target text not null,
  code_hash bytea not null,
  attempts smallint not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null
);

create table webhook_attempts (
  id bigint not null generated always as identity,
  delivery_id text not null,
  at timestamp with time zone not null,
  status integer,
  latency_ms integer not null,
  response_body text,
  error text
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table webhook_deliveries (
  id text not null,
  webhook_id text not null,
  event_id text not null,
  sequence bigint,
  status text not null,
  replays integer not null default 0,
  tries integer not null default 0,
  first_tried_at timestamp with time zone,
  next_attempt_at timestamp with time zone,
  settled_at timestamp with time zone,
  created_at timestamp with time zone not null
) with (autovacuum_analyze_threshold=1000, autovacuum_analyze_scale_factor=0.02, autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);

create table webhooks (
  id text not null,
  partner_id text not null,
  environment text not null,
  url text not null,
  events text[] not null,
  description text,
  status text not null,
  disabled_reason text,
  version integer not null default 1,
  secret bytea not null,
  old_secrets bytea[] not null default '{}'::bytea[],
  old_secrets_expire_at timestamp with time zone[] not null default '{}'::timestamp with time zone[],
  subscribed_after jsonb not null,
  failing_since timestamp with time zone,
  responsive boolean not null default true,
  lease text,
  leased_until timestamp with time zone,
  created_at timestamp with time zone not null
) with (autovacuum_analyze_scale_factor=0.05, autovacuum_vacuum_scale_factor=0.02);

alter table account_funds add constraint account_funds_held_cents_check CHECK ((held_cents >= 0));
alter table account_funds add constraint account_funds_pkey PRIMARY KEY (account_id);
alter table accounts add constraint accounts_check CHECK ((duplicate_of <> id));
alter table accounts add constraint accounts_duplicate_of_fkey FOREIGN KEY (duplicate_of) REFERENCES accounts(id) DEFERRABLE INITIALLY DEFERRED;
alter table accounts add constraint accounts_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id) ON DELETE CASCADE;
alter table accounts add constraint accounts_item_id_plaid_account_id_key UNIQUE (item_id, plaid_account_id);
alter table accounts add constraint accounts_pkey PRIMARY KEY (id);
alter table activity add constraint activity_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table activity add constraint activity_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table activity add constraint activity_pkey PRIMARY KEY (id);
alter table agents add constraint agents_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES ledger_wallets(wallet_id);
alter table agents add constraint agents_check CHECK (((status = 'revoked'::text) = (api_key IS NULL)));
alter table agents add constraint agents_check1 CHECK (((owner_user_id IS NULL) = (owner_partner_id IS NULL)));
alter table agents add constraint agents_check2 CHECK (((status = 'paused'::text) = (pause_reason IS NOT NULL)));
alter table agents add constraint agents_check3 CHECK (((status <> 'active'::text) OR (owed_cents = 0)));
alter table agents add constraint agents_check4 CHECK (((pause_reason IS DISTINCT FROM 'debt'::text) OR (owed_cents > 0)));
alter table agents add constraint agents_daily_limit_cents_check CHECK ((daily_limit_cents >= 0));
alter table agents add constraint agents_owed_cents_check CHECK ((owed_cents >= 0));
alter table agents add constraint agents_owner_partner_id_fkey FOREIGN KEY (owner_partner_id) REFERENCES partners(id);
alter table agents add constraint agents_owner_user_id_fkey FOREIGN KEY (owner_user_id) REFERENCES users(id);
alter table agents add constraint agents_pause_reason_check CHECK ((pause_reason = ANY (ARRAY['owner'::text, 'debt'::text])));
alter table agents add constraint agents_per_transaction_limit_cents_check CHECK ((per_transaction_limit_cents >= 0));
alter table agents add constraint agents_pkey PRIMARY KEY (agent_id);
alter table agents add constraint agents_spent_cents_check CHECK ((spent_cents >= 0));
alter table agents add constraint agents_status_check CHECK ((status = ANY (ARRAY['active'::text, 'paused'::text, 'revoked'::text])));
alter table approvals add constraint approvals_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(agent_id);
alter table approvals add constraint approvals_amount_cents_check CHECK ((amount_cents > 0));
alter table approvals add constraint approvals_check CHECK ((expires_at > created_at));
alter table approvals add constraint approvals_check1 CHECK (((status = 'approved'::text) = (transaction_id IS NOT NULL)));
alter table approvals add constraint approvals_check2 CHECK (((status = ANY (ARRAY['approved'::text, 'rejected'::text])) = ((decided_at IS NOT NULL) AND (decided_by IS NOT NULL))));
alter table approvals add constraint approvals_decided_by_fkey FOREIGN KEY (decided_by) REFERENCES users(id);
alter table approvals add constraint approvals_pkey PRIMARY KEY (id);
alter table approvals add constraint approvals_reason_check CHECK ((reason = ANY (ARRAY['requested'::text, 'daily_limit'::text, 'per_transaction_limit'::text])));
alter table approvals add constraint approvals_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'approved'::text, 'rejected'::text, 'expired'::text])));
alter table approvals add constraint approvals_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES ledger_transactions(id);
alter table approvals add constraint approvals_transaction_id_key UNIQUE (transaction_id);
alter table bureau_accounts add constraint bureau_accounts_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES bureau_agents(agent_id);
alter table bureau_accounts add constraint bureau_accounts_check CHECK ((closed_at >= opened_at));
alter table bureau_accounts add constraint bureau_accounts_credit_limit_cents_check CHECK ((credit_limit_cents >= 0));
alter table bureau_accounts add constraint bureau_accounts_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id);
alter table bureau_accounts add constraint bureau_accounts_pkey PRIMARY KEY (id);
alter table bureau_agents add constraint bureau_agents_debt_closed_cents_check CHECK ((debt_closed_cents >= 0));
alter table bureau_agents add constraint bureau_agents_disputes_check CHECK ((disputes >= 0));
alter table bureau_agents add constraint bureau_agents_late_check CHECK ((late >= 0));
alter table bureau_agents add constraint bureau_agents_missed_check CHECK ((missed >= 0));
alter table bureau_agents add constraint bureau_agents_on_time_check CHECK ((on_time >= 0));
alter table bureau_agents add constraint bureau_agents_open_accounts_check CHECK ((open_accounts >= 0));
alter table bureau_agents add constraint bureau_agents_open_limits_cents_check CHECK ((open_limits_cents >= 0));
alter table bureau_agents add constraint bureau_agents_pkey PRIMARY KEY (agent_id);
alter table bureau_events add constraint bureau_events_account_id_fkey FOREIGN KEY (account_id) REFERENCES bureau_accounts(id);
alter table bureau_events add constraint bureau_events_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES bureau_agents(agent_id);
alter table bureau_events add constraint bureau_events_amount_cents_check CHECK ((amount_cents >= 0));
alter table bureau_events add constraint bureau_events_check CHECK (((account_id IS NOT NULL) = (kind = ANY (ARRAY['credit_account_open'::text, 'credit_account_close'::text]))));
alter table bureau_events add constraint bureau_events_check1 CHECK (((disputed_at IS NULL) = (dispute_reason IS NULL)));
alter table bureau_events add constraint bureau_events_check2 CHECK (((state <> 'counted'::text) OR (disputed_at IS NULL)));
alter table bureau_events add constraint bureau_events_check3 CHECK (((state <> ALL (ARRAY['disputed'::text, 'confirmed'::text, 'dropped'::text])) OR (disputed_at IS NOT NULL)));
alter table bureau_events add constraint bureau_events_check4 CHECK (((disputed_at IS NULL) OR ((account_id IS NULL) AND (partner_id IS NOT NULL))));
alter table bureau_events add constraint bureau_events_check5 CHECK (((state <> 'own_agent'::text) OR (partner_id IS NOT NULL)));
alter table bureau_events add constraint bureau_events_kind_check CHECK ((kind = ANY (ARRAY['payment_ontime'::text, 'payment_late'::text, 'payment_missed'::text, 'debt_opened'::text, 'debt_closed'::text, 'account_opened'::text, 'account_closed'::text, 'dispute'::text, 'credit_account_open'::text, 'credit_account_close'::text])));
alter table bureau_events add constraint bureau_events_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id);
alter table bureau_events add constraint bureau_events_pkey PRIMARY KEY (id);
alter table bureau_events add constraint bureau_events_state_check CHECK ((state = ANY (ARRAY['counted'::text, 'disputed'::text, 'confirmed'::text, 'dropped'::text, 'own_agent'::text])));
alter table check_results add constraint check_results_pkey PRIMARY KEY (name);
alter table check_results add constraint check_results_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'failed'::text])));
alter table credentials add constraint credentials_check CHECK (((kind <> 'token'::text) OR (scopes IS NOT NULL)));
alter table credentials add constraint credentials_check1 CHECK (((rotated_at IS NULL) OR (expires_at IS NOT NULL)));
alter table credentials add constraint credentials_check2 CHECK (((kind = 'agent_key'::text) = (agent_id IS NOT NULL)));
alter table credentials add constraint credentials_check3 CHECK (((kind = 'agent_key'::text) OR (partner_id IS NOT NULL)));
alter table credentials add constraint credentials_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table credentials add constraint credentials_hash_key UNIQUE (hash);
alter table credentials add constraint credentials_kind_check CHECK ((kind = ANY (ARRAY['partner_key'::text, 'token'::text, 'agent_key'::text])));
alter table credentials add constraint credentials_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table credentials add constraint credentials_pkey PRIMARY KEY (id);
alter table credentials add constraint credentials_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table end_user_time_zones add constraint end_user_time_zones_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table end_user_time_zones add constraint end_user_time_zones_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table end_user_time_zones add constraint end_user_time_zones_pkey PRIMARY KEY (partner_id, environment, user_id);
alter table event_sequences add constraint event_sequences_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table event_sequences add constraint event_sequences_last_check CHECK ((last > 0));
alter table event_sequences add constraint event_sequences_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table event_sequences add constraint event_sequences_pkey PRIMARY KEY (partner_id, environment);
alter table events add constraint events_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table events add constraint events_partner_id_environment_sequence_key UNIQUE (partner_id, environment, sequence);
alter table events add constraint events_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table events add constraint events_pkey PRIMARY KEY (id);
alter table events add constraint events_position_key UNIQUE ("position");
alter table idempotency_keys add constraint idempotency_keys_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table idempotency_keys add constraint idempotency_keys_pkey PRIMARY KEY (tenant, key);
alter table idempotency_keys add constraint idempotency_keys_status_check CHECK (((status >= 200) AND (status <= 299)));
alter table item_public_tokens add constraint item_public_tokens_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id) ON DELETE CASCADE;
alter table item_public_tokens add constraint item_public_tokens_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table item_public_tokens add constraint item_public_tokens_pkey PRIMARY KEY (partner_id, token_hash);
alter table items add constraint items_check CHECK ((syncs_done <= syncs_wanted));
alter table items add constraint items_check1 CHECK (((status = 'ok'::text) OR (error_code IS NOT NULL)));
alter table items add constraint items_check2 CHECK (((sync_cursor IS NULL) OR (last_synced_at IS NOT NULL)));
alter table items add constraint items_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table items add constraint items_history_check CHECK ((history = ANY (ARRAY['loading'::text, 'recent'::text, 'complete'::text])));
alter table items add constraint items_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table items add constraint items_pkey PRIMARY KEY (id);
alter table items add constraint items_plaid_item_id_key UNIQUE (plaid_item_id);
alter table items add constraint items_status_check CHECK ((status = ANY (ARRAY['ok'::text, 'login_required'::text, 'error'::text])));
alter table ledger_entries add constraint ledger_entries_amount_cents_check CHECK ((amount_cents <> 0));
alter table ledger_entries add constraint ledger_entries_balance_after_cents_check CHECK ((balance_after_cents >= 0));
alter table ledger_entries add constraint ledger_entries_check CHECK (((wallet_id IS NULL) = (balance_after_cents IS NULL)));
alter table ledger_entries add constraint ledger_entries_check1 CHECK (
CASE
    WHEN (wallet_id IS NULL) THEN (account = ANY (ARRAY['system:topup'::text, 'system:spend'::text, 'system:loan'::text, 'system:adjustment'::text]))
    ELSE (account = ('wallet:'::text || wallet_id))
END);
alter table ledger_entries add constraint ledger_entries_pkey PRIMARY KEY (transaction_id, account);
alter table ledger_entries add constraint ledger_entries_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES ledger_transactions(id);
alter table ledger_entries add constraint ledger_entries_wallet_id_fkey FOREIGN KEY (wallet_id) REFERENCES ledger_wallets(wallet_id);
alter table ledger_transactions add constraint ledger_transactions_pkey PRIMARY KEY (id);
alter table ledger_transactions add constraint ledger_transactions_reference_key UNIQUE (reference);
alter table ledger_transactions add constraint ledger_transactions_type_check CHECK ((type = ANY (ARRAY['earn'::text, 'spend'::text, 'loan'::text, 'repayment'::text, 'refund'::text, 'adjustment'::text, 'transfer'::text])));
alter table ledger_wallets add constraint ledger_wallet_not_below_zero CHECK ((balance_cents >= 0));
alter table ledger_wallets add constraint ledger_wallets_pkey PRIMARY KEY (wallet_id);
alter table loans add constraint loans_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES bureau_agents(agent_id);
alter table loans add constraint loans_amount_cents_check CHECK ((amount_cents > 0));
alter table loans add constraint loans_check CHECK (((amount_repaid_cents >= 0) AND (amount_repaid_cents <= amount_cents)));
alter table loans add constraint loans_check1 CHECK ((requested_cents >= amount_cents));
alter table loans add constraint loans_check10 CHECK (((on_time_at IS NULL) OR (late_at IS NULL)));
alter table loans add constraint loans_check11 CHECK ((without_owner OR (owner_user_id IS NOT NULL)));
alter table loans add constraint loans_check12 CHECK (((defaulted_at IS NULL) OR (late_at IS NOT NULL)));
alter table loans add constraint loans_check13 CHECK (((status <> 'defaulted'::text) OR (defaulted_at IS NOT NULL)));
alter table loans add constraint loans_check14 CHECK (((status <> 'active'::text) OR (defaulted_at IS NULL)));
alter table loans add constraint loans_check2 CHECK ((limit_cents >= amount_cents));
alter table loans add constraint loans_check3 CHECK ((due_at > requested_at));
alter table loans add constraint loans_check4 CHECK ((late_at > due_at));
alter table loans add constraint loans_check5 CHECK ((defaulted_at >= late_at));
alter table loans add constraint loans_check6 CHECK ((repaid_at >= requested_at));
alter table loans add constraint loans_check7 CHECK ((on_time_at = repaid_at));
alter table loans add constraint loans_check8 CHECK (((status = 'repaid'::text) = (amount_repaid_cents = amount_cents)));
alter table loans add constraint loans_check9 CHECK (((status = 'repaid'::text) = (repaid_at IS NOT NULL)));
alter table loans add constraint loans_owner_user_id_fkey FOREIGN KEY (owner_user_id) REFERENCES users(id);
alter table loans add constraint loans_pkey PRIMARY KEY (id);
alter table loans add constraint loans_score_check CHECK (((score >= 550) AND (score <= 850)));
alter table loans add constraint loans_status_check CHECK ((status = ANY (ARRAY['active'::text, 'repaid'::text, 'defaulted'::text])));
alter table memberships add constraint memberships_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table memberships add constraint memberships_pkey PRIMARY KEY (user_id, partner_id);
alter table memberships add constraint memberships_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text])));
alter table memberships add constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table message_counts add constraint message_counts_count_check CHECK ((count > 0));
alter table message_counts add constraint message_counts_pkey PRIMARY KEY (day, recipient);
alter table notifications add constraint notifications_check CHECK (((sms_status = 'pending'::text) = (sms_next_at IS NOT NULL)));
alter table notifications add constraint notifications_check1 CHECK (((sms_status = 'none'::text) OR (sms_text IS NOT NULL)));
alter table notifications add constraint notifications_pkey PRIMARY KEY (id);
alter table notifications add constraint notifications_position_key UNIQUE ("position");
alter table notifications add constraint notifications_sms_status_check CHECK ((sms_status = ANY (ARRAY['none'::text, 'pending'::text, 'sent'::text, 'failed'::text])));
alter table notifications add constraint notifications_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table partners add constraint partners_pkey PRIMARY KEY (id);
alter table plaid_transfer_cursors add constraint plaid_transfer_cursors_after_id_check CHECK ((after_id >= 0));
alter table plaid_transfer_cursors add constraint plaid_transfer_cursors_pkey PRIMARY KEY (source);
alter table plaid_transfer_events add constraint plaid_transfer_events_pkey PRIMARY KEY (source, event_id);
alter table plaid_transfer_events add constraint plaid_transfer_events_source_fkey FOREIGN KEY (source) REFERENCES plaid_transfer_cursors(source);
alter table projects add constraint projects_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table projects add constraint projects_name_check CHECK ((name <> ''::text));
alter table projects add constraint projects_partner_id_environment_id_key UNIQUE (partner_id, environment, id);
alter table projects add constraint projects_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table projects add constraint projects_pkey PRIMARY KEY (id);
alter table projects add constraint projects_version_check CHECK ((version > 0));
alter table quarantined_records add constraint quarantined_records_item_id_fkey FOREIGN KEY (item_id) REFERENCES items(id) ON DELETE CASCADE;
alter table quarantined_records add constraint quarantined_records_kind_check CHECK ((kind = ANY (ARRAY['account'::text, 'transaction'::text, 'removal'::text])));
alter table quarantined_records add constraint quarantined_records_pkey PRIMARY KEY (item_id, kind, record_key);
alter table recipients add constraint recipients_account_type_check CHECK ((account_type = ANY (ARRAY['checking'::text, 'savings'::text])));
alter table recipients add constraint recipients_check CHECK (((deleted_at IS NOT NULL) OR ((account_number IS NOT NULL) AND (access_token IS NOT NULL))));
alter table recipients add constraint recipients_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table recipients add constraint recipients_id_check CHECK ((id ~~ 'acc\_recipient\_%'::text));
alter table recipients add constraint recipients_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id);
alter table recipients add constraint recipients_pkey PRIMARY KEY (id);
alter table recipients add constraint recipients_routing_number_check CHECK ((routing_number ~ '^[0-9]{9}$'::text));
alter table refresh_tokens add constraint refresh_tokens_check CHECK ((repeated_at >= used_at));
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
alter table served_forecasts add constraint served_forecasts_check CHECK ((cardinality(projected_cents) = horizon_days));
alter table served_forecasts add constraint served_forecasts_check1 CHECK ((cardinality(low_cents) = horizon_days));
alter table served_forecasts add constraint served_forecasts_check2 CHECK ((cardinality(high_cents) = horizon_days));
alter table served_forecasts add constraint served_forecasts_horizon_days_check CHECK (((horizon_days >= 1) AND (horizon_days <= 366)));
alter table served_forecasts add constraint served_forecasts_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table served_forecasts add constraint served_forecasts_pkey PRIMARY KEY (id);
alter table served_forecasts add constraint served_forecasts_subject UNIQUE (partner_id, view, user_id, day, currency, horizon_days);
alter table served_forecasts add constraint served_forecasts_view_check CHECK ((view = ANY (ARRAY['test'::text, 'live'::text, 'all'::text])));
alter table sessions add constraint sessions_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table sessions add constraint sessions_pkey PRIMARY KEY (id);
alter table sessions add constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table stripe_events add constraint stripe_events_pkey PRIMARY KEY (id);
alter table stripe_payments add constraint stripe_payments_agent_id_fkey FOREIGN KEY (agent_id) REFERENCES agents(agent_id);
alter table stripe_payments add constraint stripe_payments_amount_cents_check CHECK ((amount_cents > 0));
alter table stripe_payments add constraint stripe_payments_check CHECK (((reversed_cents >= 0) AND (reversed_cents <= credits_cents)));
alter table stripe_payments add constraint stripe_payments_check1 CHECK (((status = ANY (ARRAY['paid'::text, 'refused'::text])) = (payment_intent_id IS NOT NULL)));
alter table stripe_payments add constraint stripe_payments_check2 CHECK (((payment_intent_id IS NULL) = (paid_at IS NULL)));
alter table stripe_payments add constraint stripe_payments_check3 CHECK (((status = 'paid'::text) = (transaction_id IS NOT NULL)));
alter table stripe_payments add constraint stripe_payments_check4 CHECK (((status = 'paid'::text) = (credits_cents > 0)));
alter table stripe_payments add constraint stripe_payments_check5 CHECK (((status = 'refused'::text) = (refusal IS NOT NULL)));
alter table stripe_payments add constraint stripe_payments_check6 CHECK (((refunded_at IS NULL) OR (status = 'refused'::text)));
alter table stripe_payments add constraint stripe_payments_credits_cents_check CHECK ((credits_cents >= 0));
alter table stripe_payments add constraint stripe_payments_payment_intent_id_key UNIQUE (payment_intent_id);
alter table stripe_payments add constraint stripe_payments_pkey PRIMARY KEY (session_id);
alter table stripe_payments add constraint stripe_payments_presented_amount_check CHECK ((presented_amount >= 0));
alter table stripe_payments add constraint stripe_payments_presented_currency_check CHECK ((presented_currency ~ '^[a-z]{3}$'::text));
alter table stripe_payments add constraint stripe_payments_refusal_check CHECK ((refusal = ANY (ARRAY['agent_revoked'::text, 'amount_mismatch'::text])));
alter table stripe_payments add constraint stripe_payments_status_check CHECK ((status = ANY (ARRAY['open'::text, 'paid'::text, 'expired'::text, 'refused'::text])));
alter table stripe_payments add constraint stripe_payments_transaction_id_fkey FOREIGN KEY (transaction_id) REFERENCES ledger_transactions(id);
alter table stripe_payments add constraint stripe_payments_transaction_id_key UNIQUE (transaction_id);
alter table stripe_reversals add constraint stripe_reversals_amount_check CHECK ((amount >= 0));
alter table stripe_reversals add constraint stripe_reversals_check CHECK (((kind <> 'charge'::text) OR (NOT is_void)));
alter table stripe_reversals add constraint stripe_reversals_currency_check CHECK ((currency ~ '^[a-z]{3}$'::text));
alter table stripe_reversals add constraint stripe_reversals_kind_check CHECK ((kind = ANY (ARRAY['refund'::text, 'dispute'::text, 'charge'::text])));
alter table stripe_reversals add constraint stripe_reversals_pkey PRIMARY KEY (source_id);
alter table task_dependencies add constraint task_dependencies_check CHECK ((depends_on_id <> task_id));
alter table task_dependencies add constraint task_dependencies_ordinal_check CHECK (((ordinal >= 1) AND (ordinal <= 50)));
alter table task_dependencies add constraint task_dependencies_partner_id_environment_depends_on_id_fkey FOREIGN KEY (partner_id, environment, depends_on_id) REFERENCES tasks(partner_id, environment, id) ON DELETE CASCADE;
alter table task_dependencies add constraint task_dependencies_partner_id_environment_task_id_fkey FOREIGN KEY (partner_id, environment, task_id) REFERENCES tasks(partner_id, environment, id) ON DELETE CASCADE;
alter table task_dependencies add constraint task_dependencies_pkey PRIMARY KEY (task_id, depends_on_id);
alter table task_dependencies add constraint task_dependencies_task_id_ordinal_key UNIQUE (task_id, ordinal);
alter table tasks add constraint tasks_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table tasks add constraint tasks_partner_id_environment_id_key UNIQUE (partner_id, environment, id);
alter table tasks add constraint tasks_partner_id_environment_project_id_fkey FOREIGN KEY (partner_id, environment, project_id) REFERENCES projects(partner_id, environment, id);
alter table tasks add constraint tasks_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table tasks add constraint tasks_pkey PRIMARY KEY (id);
alter table tasks add constraint tasks_priority_check CHECK ((priority = ANY (ARRAY['LOW'::text, 'MEDIUM'::text, 'HIGH'::text, 'URGENT'::text])));
alter table tasks add constraint tasks_status_check CHECK ((status = ANY (ARRAY['TODO'::text, 'IN_PROGRESS'::text, 'DONE'::text, 'CANCELLED'::text])));
alter table tasks add constraint tasks_title_check CHECK ((title <> ''::text));
alter table tasks add constraint tasks_version_check CHECK ((version > 0));
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
alter table transfer_events add constraint transfer_events_pkey PRIMARY KEY (transfer_id, sequence);
alter table transfer_events add constraint transfer_events_sequence_check CHECK ((sequence > 0));
alter table transfer_events add constraint transfer_events_transfer_id_fkey FOREIGN KEY (transfer_id) REFERENCES transfers(id);
alter table transfer_holds add constraint transfer_holds_account_id_fkey FOREIGN KEY (account_id) REFERENCES account_funds(account_id);
alter table transfer_holds add constraint transfer_holds_pkey PRIMARY KEY (transfer_id);
alter table transfer_holds add constraint transfer_holds_transfer_id_account_id_amount_cents_fkey FOREIGN KEY (transfer_id, account_id, amount_cents) REFERENCES transfers(id, from_account_id, amount_cents) ON DELETE CASCADE;
alter table transfer_legs add constraint transfer_legs_attempt_check CHECK ((attempt > 0));
alter table transfer_legs add constraint transfer_legs_check CHECK (((authorization_id IS NULL) = (authorized_at IS NULL)));
alter table transfer_legs add constraint transfer_legs_check1 CHECK (((kind <> 'debit'::text) OR (network <> 'rtp'::text)));
alter table transfer_legs add constraint transfer_legs_check2 CHECK (((status <> ALL (ARRAY['posted'::text, 'settled'::text, 'funds_available'::text, 'returned'::text])) OR (plaid_transfer_id IS NOT NULL)));
alter table transfer_legs add constraint transfer_legs_kind_check CHECK ((kind = ANY (ARRAY['debit'::text, 'credit'::text, 'refund'::text])));
alter table transfer_legs add constraint transfer_legs_network_check CHECK ((network = ANY (ARRAY['ach'::text, 'same-day-ach'::text, 'rtp'::text])));
alter table transfer_legs add constraint transfer_legs_pkey PRIMARY KEY (id);
alter table transfer_legs add constraint transfer_legs_plaid_transfer_id_key UNIQUE (plaid_transfer_id);
alter table transfer_legs add constraint transfer_legs_status_check CHECK ((status = ANY (ARRAY['wanted'::text, 'pending'::text, 'posted'::text, 'settled'::text, 'funds_available'::text, 'failed'::text, 'returned'::text, 'cancelled'::text])));
alter table transfer_legs add constraint transfer_legs_transfer_id_amount_cents_fkey FOREIGN KEY (transfer_id, amount_cents) REFERENCES transfers(id, amount_cents) ON DELETE CASCADE;
alter table transfer_legs add constraint transfer_legs_transfer_id_kind_attempt_key UNIQUE (transfer_id, kind, attempt);
alter table transfers add constraint transfers_amount_cents_check CHECK ((amount_cents > 0));
alter table transfers add constraint transfers_check CHECK ((from_account_id <> to_account_id));
alter table transfers add constraint transfers_check1 CHECK (((state = 'preparing'::text) = (last_sequence = 0)));
alter table transfers add constraint transfers_credit_rail_check CHECK ((credit_rail = ANY (ARRAY['ach'::text, 'same_day_ach'::text, 'rtp'::text])));
alter table transfers add constraint transfers_currency_check CHECK ((currency = 'USD'::text));
alter table transfers add constraint transfers_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table transfers add constraint transfers_id_amount_cents_key UNIQUE (id, amount_cents);
alter table transfers add constraint transfers_id_from_account_id_amount_cents_key UNIQUE (id, from_account_id, amount_cents);
alter table transfers add constraint transfers_last_sequence_check CHECK ((last_sequence >= 0));
alter table transfers add constraint transfers_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id);
alter table transfers add constraint transfers_pkey PRIMARY KEY (id);
alter table transfers add constraint transfers_state_check CHECK ((state = ANY (ARRAY['preparing'::text, 'submitted'::text, 'pending'::text, 'posted'::text, 'settled'::text, 'failed'::text, 'returned'::text, 'cancelled'::text])));
alter table usage_categories add constraint usage_categories_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table usage_categories add constraint usage_categories_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_categories add constraint usage_categories_pkey PRIMARY KEY (partner_id, environment, unit, start, category);
alter table usage_categories add constraint usage_categories_transactions_check CHECK ((transactions >= 0));
alter table usage_categories add constraint usage_categories_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table usage_categories add constraint usage_categories_volume_cents_check CHECK ((volume_cents >= 0));
alter table usage_events add constraint usage_events_check CHECK (((event_type = ANY (ARRAY['transaction'::text, 'correction'::text])) OR ((amount_cents IS NULL) AND (category IS NULL))));
alter table usage_events add constraint usage_events_check1 CHECK (((event_type = 'correction'::text) OR (amount_cents >= 0)));
alter table usage_events add constraint usage_events_check2 CHECK (((event_type = 'correction'::text) = (corrects IS NOT NULL)));
alter table usage_events add constraint usage_events_check3 CHECK (((event_type = 'correction'::text) OR (transactions = ((event_type = 'transaction'::text))::integer)));
alter table usage_events add constraint usage_events_check4 CHECK (((event_type <> 'correction'::text) OR (event_id IS NULL)));
alter table usage_events add constraint usage_events_check5 CHECK (((event_type = 'account_link'::text) OR (institution IS NULL)));
alter table usage_events add constraint usage_events_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table usage_events add constraint usage_events_event_type_check CHECK ((event_type = ANY (ARRAY['user_signup'::text, 'account_link'::text, 'transaction'::text, 'correction'::text])));
alter table usage_events add constraint usage_events_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_events add constraint usage_events_pkey PRIMARY KEY (id);
alter table usage_events add constraint usage_events_transactions_check CHECK (((transactions >= '-1'::integer) AND (transactions <= 1)));
alter table usage_institutions add constraint usage_institutions_account_links_check CHECK ((account_links >= 0));
alter table usage_institutions add constraint usage_institutions_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table usage_institutions add constraint usage_institutions_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_institutions add constraint usage_institutions_pkey PRIMARY KEY (partner_id, environment, unit, start, institution);
alter table usage_institutions add constraint usage_institutions_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table usage_intervals add constraint usage_intervals_account_links_check CHECK ((account_links >= 0));
alter table usage_intervals add constraint usage_intervals_active_users_check CHECK ((active_users >= 0));
alter table usage_intervals add constraint usage_intervals_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table usage_intervals add constraint usage_intervals_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_intervals add constraint usage_intervals_pkey PRIMARY KEY (partner_id, environment, unit, start);
alter table usage_intervals add constraint usage_intervals_transactions_check CHECK ((transactions >= 0));
alter table usage_intervals add constraint usage_intervals_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table usage_intervals add constraint usage_intervals_user_signups_check CHECK ((user_signups >= 0));
alter table usage_intervals add constraint usage_intervals_volume_cents_check CHECK ((volume_cents >= 0));
alter table usage_users add constraint usage_users_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table usage_users add constraint usage_users_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table usage_users add constraint usage_users_pkey PRIMARY KEY (partner_id, environment, unit, start, user_id);
alter table usage_users add constraint usage_users_unit_check CHECK ((unit = ANY (ARRAY['day'::text, 'hour'::text])));
alter table users add constraint users_email_key_key UNIQUE (email_key);
alter table users add constraint users_phone_check CHECK ((phone ~ '^[+][1-9][0-9]{6,14}$'::text));
alter table users add constraint users_pkey PRIMARY KEY (id);
alter table verification_codes add constraint verification_codes_attempts_check CHECK (((attempts >= 0) AND (attempts <= 5)));
alter table verification_codes add constraint verification_codes_check CHECK ((expires_at > created_at));
alter table verification_codes add constraint verification_codes_kind_check CHECK ((kind = ANY (ARRAY['email'::text, 'phone'::text])));
alter table verification_codes add constraint verification_codes_pkey PRIMARY KEY (user_id, kind);
alter table verification_codes add constraint verification_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users(id) ON DELETE CASCADE;
alter table webhook_attempts add constraint webhook_attempts_check CHECK (((status IS NOT NULL) OR (error IS NOT NULL)));
alter table webhook_attempts add constraint webhook_attempts_delivery_id_fkey FOREIGN KEY (delivery_id) REFERENCES webhook_deliveries(id) ON DELETE CASCADE;
alter table webhook_attempts add constraint webhook_attempts_latency_ms_check CHECK ((latency_ms >= 0));
alter table webhook_attempts add constraint webhook_attempts_pkey PRIMARY KEY (id);
alter table webhook_deliveries add constraint webhook_deliveries_check CHECK (((status = 'pending'::text) = (next_attempt_at IS NOT NULL)));
alter table webhook_deliveries add constraint webhook_deliveries_check1 CHECK (((status = 'pending'::text) = (settled_at IS NULL)));
alter table webhook_deliveries add constraint webhook_deliveries_check2 CHECK (((tries = 0) = (first_tried_at IS NULL)));
alter table webhook_deliveries add constraint webhook_deliveries_event_id_fkey FOREIGN KEY (event_id) REFERENCES events(id) ON DELETE CASCADE;
alter table webhook_deliveries add constraint webhook_deliveries_pkey PRIMARY KEY (id);
alter table webhook_deliveries add constraint webhook_deliveries_status_check CHECK ((status = ANY (ARRAY['pending'::text, 'succeeded'::text, 'failed'::text])));
alter table webhook_deliveries add constraint webhook_deliveries_webhook_id_event_id_key UNIQUE (webhook_id, event_id);
alter table webhook_deliveries add constraint webhook_deliveries_webhook_id_fkey FOREIGN KEY (webhook_id) REFERENCES webhooks(id) ON DELETE CASCADE;
alter table webhooks add constraint webhooks_check CHECK (((status = 'disabled'::text) = (disabled_reason IS NOT NULL)));
alter table webhooks add constraint webhooks_check1 CHECK ((cardinality(old_secrets) = cardinality(old_secrets_expire_at)));
alter table webhooks add constraint webhooks_check2 CHECK ((subscribed_after ?& events));
alter table webhooks add constraint webhooks_disabled_reason_check CHECK ((disabled_reason = ANY (ARRAY['requested'::text, 'gone'::text, 'failing'::text])));
alter table webhooks add constraint webhooks_environment_check CHECK ((environment = ANY (ARRAY['test'::text, 'live'::text])));
alter table webhooks add constraint webhooks_events_check CHECK ((cardinality(events) > 0));
alter table webhooks add constraint webhooks_old_secrets_check CHECK ((cardinality(old_secrets) <= 5));
alter table webhooks add constraint webhooks_partner_id_fkey FOREIGN KEY (partner_id) REFERENCES partners(id) ON DELETE CASCADE;
alter table webhooks add constraint webhooks_pkey PRIMARY KEY (id);
alter table webhooks add constraint webhooks_status_check CHECK ((status = ANY (ARRAY['enabled'::text, 'disabled'::text])));

CREATE INDEX accounts_duplicates ON public.accounts USING btree (duplicate_of) WHERE (duplicate_of IS NOT NULL);
CREATE INDEX activity_actor ON public.activity USING btree (partner_id, environment, actor_id, at DESC, id DESC);
CREATE INDEX activity_operation ON public.activity USING btree (partner_id, environment, operation_id, at DESC, id DESC);
CREATE INDEX activity_partner ON public.activity USING btree (partner_id, environment, at DESC, id DESC);
CREATE INDEX agents_owner ON public.agents USING btree (owner_user_id, created_at DESC, agent_id DESC);
CREATE INDEX approvals_expiry ON public.approvals USING btree (expires_at) WHERE (status = 'pending'::text);
CREATE INDEX approvals_status ON public.approvals USING btree (agent_id, status, id DESC);
CREATE INDEX bureau_accounts_open ON public.bureau_accounts USING btree (agent_id, id DESC) WHERE (closed_at IS NULL);
CREATE UNIQUE INDEX bureau_events_account ON public.bureau_events USING btree (account_id, kind) WHERE (account_id IS NOT NULL);
CREATE INDEX bureau_events_agent ON public.bureau_events USING btree (agent_id, id DESC);
CREATE INDEX bureau_events_disputed ON public.bureau_events USING btree (disputed_at) WHERE (state = 'disputed'::text);
CREATE INDEX bureau_events_disputed_of_agent ON public.bureau_events USING btree (agent_id) WHERE (state = 'disputed'::text);
CREATE UNIQUE INDEX credentials_one_key_an_agent ON public.credentials USING btree (agent_id) WHERE ((agent_id IS NOT NULL) AND (revoked_at IS NULL));
CREATE INDEX credentials_partner ON public.credentials USING btree (partner_id, kind, created_at DESC, id DESC);
CREATE INDEX credentials_user ON public.credentials USING btree (user_id) WHERE ((user_id IS NOT NULL) AND (revoked_at IS NULL));
CREATE INDEX events_age ON public.events USING btree (created_at);
CREATE INDEX events_type ON public.events USING btree (partner_id, environment, type, sequence) WHERE (sequence IS NOT NULL);
CREATE INDEX events_unpublished ON public.events USING btree (partner_id, "position") WHERE (published_at IS NULL);
CREATE INDEX idempotency_keys_expiry ON public.idempotency_keys USING btree (expires_at);
CREATE INDEX item_public_tokens_item ON public.item_public_tokens USING btree (item_id);
CREATE INDEX items_to_sync ON public.items USING btree (sync_retry_at, id) WHERE (syncs_wanted > syncs_done);
CREATE INDEX items_user ON public.items USING btree (partner_id, user_id, created_at DESC, id DESC);
CREATE INDEX ledger_entries_wallet ON public.ledger_entries USING btree (wallet_id, transaction_id DESC) WHERE (wallet_id IS NOT NULL);
CREATE INDEX loans_agent ON public.loans USING btree (agent_id, id DESC);
CREATE INDEX loans_due ON public.loans USING btree (due_at) WHERE (status = 'active'::text);
CREATE INDEX loans_on_time ON public.loans USING btree (agent_id, on_time_at DESC) WHERE (on_time_at IS NOT NULL);
CREATE UNIQUE INDEX loans_one_outstanding ON public.loans USING btree (agent_id) WHERE (status <> 'repaid'::text);
CREATE INDEX loans_unpaid ON public.loans USING btree (owner_user_id, without_owner) INCLUDE (amount_cents, amount_repaid_cents) WHERE (status <> 'repaid'::text);
CREATE INDEX memberships_partner ON public.memberships USING btree (partner_id);
CREATE INDEX notifications_unsent ON public.notifications USING btree (sms_next_at) WHERE (sms_status = 'pending'::text);
CREATE INDEX notifications_user ON public.notifications USING btree (user_id, "position" DESC);
CREATE INDEX partners_page ON public.partners USING btree (created_at DESC, id DESC);
CREATE INDEX plaid_transfer_events_age ON public.plaid_transfer_events USING btree (received_at);
CREATE INDEX plaid_transfer_events_open ON public.plaid_transfer_events USING btree (plaid_transfer_id, event_id) WHERE (applied_at IS NULL);
CREATE UNIQUE INDEX projects_list ON public.projects USING btree (partner_id, environment, "position" DESC);
CREATE INDEX recipients_page ON public.recipients USING btree (partner_id, created_at DESC, id DESC) WHERE (deleted_at IS NULL);
CREATE INDEX recipients_to_erase ON public.recipients USING btree (deleted_at) WHERE ((deleted_at IS NOT NULL) AND (access_token IS NOT NULL));
CREATE INDEX refresh_tokens_session ON public.refresh_tokens USING btree (session_id);
CREATE INDEX served_forecasts_age ON public.served_forecasts USING btree (day);
CREATE INDEX sessions_user ON public.sessions USING btree (user_id, created_at DESC, id DESC);
CREATE INDEX stripe_payments_open ON public.stripe_payments USING btree (created_at) WHERE (status = 'open'::text);
CREATE INDEX stripe_payments_refused ON public.stripe_payments USING btree (paid_at) WHERE ((status = 'refused'::text) AND (refunded_at IS NULL));
CREATE INDEX stripe_reversals_payment ON public.stripe_reversals USING btree (payment_intent_id);
CREATE INDEX task_dependencies_dependants ON public.task_dependencies USING btree (partner_id, environment, depends_on_id, task_id);
CREATE UNIQUE INDEX tasks_list ON public.tasks USING btree (partner_id, environment, "position" DESC);
CREATE UNIQUE INDEX tasks_of_project ON public.tasks USING btree (partner_id, environment, project_id, "position" DESC);
CREATE INDEX transactions_account ON public.transactions USING btree (account_id);
CREATE INDEX transactions_date ON public.transactions USING btree (partner_id, user_id, date) WHERE (NOT removed);
CREATE INDEX transactions_item ON public.transactions USING btree (item_id);
CREATE INDEX transactions_pending ON public.transactions USING btree (pending_transaction_id) WHERE (pending_transaction_id IS NOT NULL);
CREATE INDEX transfer_holds_account ON public.transfer_holds USING btree (account_id, released_at);
CREATE UNIQUE INDEX transfer_legs_live ON public.transfer_legs USING btree (transfer_id, kind) WHERE (status <> ALL (ARRAY['failed'::text, 'returned'::text, 'cancelled'::text]));
CREATE INDEX transfer_legs_recallable ON public.transfer_legs USING btree (retry_at, id) WHERE ((status = ANY (ARRAY['wanted'::text, 'pending'::text])) AND (kind <> 'debit'::text));
CREATE INDEX transfer_legs_under_way ON public.transfer_legs USING btree (id) WHERE ((status = ANY (ARRAY['wanted'::text, 'pending'::text])) AND (kind <> 'debit'::text));
CREATE INDEX transfer_legs_wanted ON public.transfer_legs USING btree (retry_at, id) WHERE ((status = 'wanted'::text) AND (kind <> 'debit'::text));
CREATE INDEX transfers_amount ON public.transfers USING btree (partner_id, environment, amount_cents, created_at DESC, id DESC);
CREATE INDEX transfers_from ON public.transfers USING btree (from_account_id, created_at DESC, id DESC);
CREATE INDEX transfers_page ON public.transfers USING btree (partner_id, environment, created_at DESC, id DESC);
CREATE INDEX transfers_preparing ON public.transfers USING btree (touched_at) WHERE (state = 'preparing'::text);
CREATE UNIQUE INDEX transfers_request ON public.transfers USING btree (partner_id, request_key) WHERE (request_key IS NOT NULL);
CREATE INDEX transfers_request_age ON public.transfers USING btree (created_at) WHERE (request_key IS NOT NULL);
CREATE INDEX transfers_state ON public.transfers USING btree (partner_id, environment, state, created_at DESC, id DESC);
CREATE INDEX transfers_to ON public.transfers USING btree (to_account_id, created_at DESC, id DESC);
CREATE INDEX transfers_touched ON public.transfers USING btree (environment, touched_at);
CREATE INDEX transfers_user ON public.transfers USING btree (partner_id, environment, user_id, created_at DESC, id DESC);
CREATE INDEX usage_events_corrections ON public.usage_events USING btree (partner_id, environment, corrects) WHERE (corrects IS NOT NULL);
CREATE UNIQUE INDEX usage_events_once ON public.usage_events USING btree (partner_id, environment, event_id) WHERE (event_id IS NOT NULL);
CREATE INDEX webhook_attempts_delivery ON public.webhook_attempts USING btree (delivery_id, id);
CREATE INDEX webhook_deliveries_due ON public.webhook_deliveries USING btree (webhook_id, next_attempt_at) WHERE ((status = 'pending'::text) AND (sequence IS NOT NULL));
CREATE INDEX webhook_deliveries_event ON public.webhook_deliveries USING btree (event_id);
CREATE INDEX webhook_deliveries_failed ON public.webhook_deliveries USING btree (webhook_id, settled_at) WHERE (status = 'failed'::text);
CREATE INDEX webhook_deliveries_list ON public.webhook_deliveries USING btree (webhook_id, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_status ON public.webhook_deliveries USING btree (webhook_id, status, created_at DESC, id DESC);
CREATE INDEX webhook_deliveries_untried ON public.webhook_deliveries USING btree (webhook_id, sequence) WHERE ((status = 'pending'::text) AND (tries = 0));
CREATE INDEX webhooks_partner ON public.webhooks USING btree (partner_id, created_at DESC, id DESC);

CREATE TRIGGER agents_guard BEFORE UPDATE ON public.agents FOR EACH ROW EXECUTE FUNCTION agents_guard();
CREATE TRIGGER approvals_begin_pending BEFORE INSERT ON public.approvals FOR EACH ROW WHEN ((new.status <> 'pending'::text)) EXECUTE FUNCTION approvals_begin_pending();
CREATE TRIGGER approvals_guard BEFORE DELETE OR UPDATE ON public.approvals FOR EACH ROW EXECUTE FUNCTION approvals_guard();
CREATE TRIGGER bureau_event_moves_on BEFORE UPDATE ON public.bureau_events FOR EACH ROW EXECUTE FUNCTION bureau_event_moves_on();
CREATE TRIGGER bureau_events_append_only BEFORE DELETE OR TRUNCATE ON public.bureau_events FOR EACH STATEMENT EXECUTE FUNCTION refuse_bureau_event_change();
CREATE TRIGGER ledger_entries_immutable BEFORE DELETE OR UPDATE ON public.ledger_entries FOR EACH ROW EXECUTE FUNCTION ledger_refuse('what is booked stays; book the opposite instead');
CREATE TRIGGER ledger_entries_kept BEFORE TRUNCATE ON public.ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('what is booked stays');
CREATE TRIGGER ledger_entries_move_balance BEFORE INSERT ON public.ledger_entries FOR EACH ROW WHEN ((new.wallet_id IS NOT NULL)) EXECUTE FUNCTION ledger_move_balance();
CREATE TRIGGER ledger_entries_sum_to_zero AFTER INSERT ON public.ledger_entries REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION ledger_sum_to_zero();
CREATE TRIGGER ledger_transactions_immutable BEFORE DELETE OR UPDATE ON public.ledger_transactions FOR EACH ROW EXECUTE FUNCTION ledger_refuse('what is booked stays; book the opposite instead');
CREATE TRIGGER ledger_transactions_kept BEFORE TRUNCATE ON public.ledger_transactions FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('what is booked stays');
CREATE TRIGGER ledger_wallets_begin_empty BEFORE INSERT ON public.ledger_wallets FOR EACH ROW WHEN ((new.balance_cents <> 0)) EXECUTE FUNCTION ledger_refuse('a wallet begins empty');
CREATE TRIGGER ledger_wallets_kept BEFORE TRUNCATE ON public.ledger_wallets FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse('a balance moves by entries alone');
CREATE TRIGGER ledger_wallets_moved_by_entries BEFORE DELETE OR UPDATE ON public.ledger_wallets FOR EACH ROW WHEN ((pg_trigger_depth() = 0)) EXECUTE FUNCTION ledger_refuse('a balance moves by entries alone');
CREATE TRIGGER loans_guard BEFORE DELETE OR UPDATE ON public.loans FOR EACH ROW EXECUTE FUNCTION loans_guard();
CREATE TRIGGER task_dependencies_are_replaced BEFORE UPDATE ON public.task_dependencies FOR EACH STATEMENT EXECUTE FUNCTION refuse_task_dependency_change();
CREATE TRIGGER task_dependencies_stay_acyclic AFTER INSERT ON public.task_dependencies REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION task_dependencies_stay_acyclic();
CREATE TRIGGER transfer_event_follows BEFORE INSERT ON public.transfer_events FOR EACH ROW EXECUTE FUNCTION transfer_event_follows();
CREATE TRIGGER transfer_history_stays BEFORE DELETE OR UPDATE ON public.transfer_events FOR EACH ROW EXECUTE FUNCTION transfer_history_stays();
CREATE TRIGGER transfer_hold_counts AFTER INSERT OR DELETE OR UPDATE ON public.transfer_holds FOR EACH ROW EXECUTE FUNCTION transfer_hold_counts();
CREATE TRIGGER transfer_leg_is_due BEFORE INSERT ON public.transfer_legs FOR EACH ROW EXECUTE FUNCTION transfer_leg_is_due();
CREATE TRIGGER transfer_leg_moves_on BEFORE UPDATE ON public.transfer_legs FOR EACH ROW EXECUTE FUNCTION transfer_leg_moves_on();
CREATE TRIGGER transfer_state_is_of_events BEFORE INSERT OR DELETE OR UPDATE ON public.transfers FOR EACH ROW EXECUTE FUNCTION transfer_state_is_of_events();

create function agent_decide(p_approval_id bigint, p_user_id text, p_approve boolean, p_at timestamp with time zone, OUT outcome text, OUT agent_id text, OUT transaction_id bigint, OUT amount_cents bigint, OUT balance_cents bigint, OUT owner_partner_id text) returns record;
create function agent_spend(p_agent_id text, p_amount_cents bigint, p_description text, p_require_approval boolean, p_item_name text, p_url text, p_at timestamp with time zone, p_expires_at timestamp with time zone, OUT outcome text, OUT transaction_id bigint, OUT approval_id bigint, OUT balance_cents bigint, OUT reason text, OUT agent_name text, OUT owner_user_id text, OUT owner_partner_id text) returns record;
create function agents_guard() returns trigger;
create function approvals_begin_pending() returns trigger;
create function approvals_guard() returns trigger;
create function bureau_event_moves_on() returns trigger;
create function idempotency_key_is_answered() returns timestamp with time zone;
create function ledger_move_balance() returns trigger;
create function ledger_post(p_wallet_id text, p_type text, p_amount_cents bigint, p_description text, p_reference text, p_at timestamp with time zone, p_to_wallet_id text DEFAULT NULL::text, OUT outcome text, OUT transaction_id bigint, OUT balance_cents bigint) returns record;
create function ledger_refuse() returns trigger;
create function ledger_sum_to_zero() returns trigger;
create function loans_guard() returns trigger;
create function lock_task_dependencies(partner text) returns void;
create function new_id(p_prefix text) returns text;
create function partner_environment(p_partner_id text) returns text;
create function publish_events(p_limit integer, p_at timestamp with time zone) returns integer;
create function refuse_bureau_event_change() returns trigger;
create function refuse_task_dependency_change() returns trigger;
create function task_dependencies_stay_acyclic() returns trigger;
create function transfer_event_follows() returns trigger;
create function transfer_history_stays() returns trigger;
create function transfer_hold_counts() returns trigger;
create function transfer_leg_is_due() returns trigger;
create function transfer_leg_moves_on() returns trigger;
create function transfer_state_is_of_events() returns trigger;
