import { sql } from 'kysely'
import { steps } from './steps.ts'

/** Tables of which each request or event adds rows. */
const growing = [
  'activity',
  'bureau_events',
  'events',
  'idempotency_keys',
  'ledger_entries',
  'ledger_transactions',
  'notifications',
  'plaid_transfer_events',
  'stripe_events',
  'transactions',
  'transfer_events',
  'usage_events',
  'usage_users',
  'webhook_attempts',
  'webhook_deliveries'
]

/** Tables whose rows are updated again and again. */
const hot = [
  'account_funds',
  'agents',
  'credentials',
  'event_sequences',
  'items',
  'ledger_wallets',
  'sessions',
  'transaction_feeds',
  'transfers',
  'usage_intervals',
  'webhooks'
]

/**
 * Tells autovacuum about tables that grow or change fast. Growing ones are first analyzed at a thousand rows, because PostgreSQL plans sequential scans for a table that it
 * saw nearly empty, then whenever they grew by 2 %, so that statistics keep up with tables of millions of rows. Hot ones are vacuumed before dead rows fill many pages.
 */
export const autovacuum = steps([
  ...growing.map(
    (table) => sql`alter table ${sql.table(table)} set (
      autovacuum_analyze_threshold = 1000, autovacuum_analyze_scale_factor = 0.02,
      autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)`
  ),
  ...hot.map(
    (table) => sql`alter table ${sql.table(table)} set (
      autovacuum_analyze_scale_factor = 0.05, autovacuum_vacuum_scale_factor = 0.02)`
  )
])
