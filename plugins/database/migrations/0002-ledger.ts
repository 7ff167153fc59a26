import { sql } from 'kysely'
import { steps } from './steps.ts'

/** The book of credits: wallets and immutable double entries. */
export const ledger = steps([
  sql`create table ledger_wallets (
    wallet_id text primary key,
    balance_cents bigint not null default 0 constraint ledger_wallet_not_below_zero check (balance_cents >= 0),
    created_at timestamptz not null
  )`,
  sql`create table ledger_transactions (
    id bigint generated always as identity primary key,
    type text not null check (type in ('earn', 'spend', 'loan', 'repayment', 'refund', 'adjustment', 'transfer')),
    description text not null,
    reference text unique,
    created_at timestamptz not null
  )`,
  // A system account has no row with a balance: summing its entries on demand keeps writers from queueing for it.
  sql`create table ledger_entries (
    transaction_id bigint not null references ledger_transactions,
    account text not null,
    wallet_id text references ledger_wallets,
    amount_cents bigint not null check (amount_cents <> 0),
    balance_after_cents bigint check (balance_after_cents >= 0),
    primary key (transaction_id, account),
    check ((wallet_id is null) = (balance_after_cents is null)),
    check (case when wallet_id is null
      then account in ('system:topup', 'system:spend', 'system:loan', 'system:adjustment')
      else account = 'wallet:' || wallet_id end)
  )`,
  sql`create index ledger_entries_wallet on ledger_entries (wallet_id, transaction_id desc) where wallet_id is not null`
])
