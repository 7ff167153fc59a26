import type { ColumnType, GeneratedAlways } from 'kysely'

export type TransactionType = 'earn' | 'spend' | 'loan' | 'repayment' | 'refund' | 'adjustment' | 'transfer'

type Immutable<T> = ColumnType<T, T, never>

export interface LedgerWalletsTable {
  wallet_id: Immutable<string>
  balance_cents: GeneratedAlways<number>
  created_at: Immutable<Date>
}

export interface LedgerTransactionsTable {
  id: GeneratedAlways<number>
  type: Immutable<TransactionType>
  description: Immutable<string>
  reference: Immutable<string | null>
  created_at: Immutable<Date>
}

export interface LedgerEntriesTable {
  transaction_id: Immutable<number>
  account: Immutable<string>
  wallet_id: Immutable<string | null>
  amount_cents: Immutable<number>
  balance_after_cents: GeneratedAlways<number | null>
}

declare module '../database/types.ts' {
  interface Database {
    ledger_wallets: LedgerWalletsTable
    ledger_transactions: LedgerTransactionsTable
    ledger_entries: LedgerEntriesTable
  }
}
