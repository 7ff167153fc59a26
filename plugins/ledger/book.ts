import { sql } from 'kysely'
import type { Db, Trx } from '../database/types.ts'
import type { TransactionType } from './tables.ts'

/** One movement of credits between a wallet and the rest of the world, or another wallet. */
export interface Posting {
  /** The agent's id. */
  walletId: string
  /** `earn` and `loan` add credits; `spend`, `repayment` and `refund` (of a top-up) remove them; an `adjustment` does either; a `transfer` pays `toWalletId`. */
  type: TransactionType
  /** In hundredths of a credit, greater than zero; the type gives the direction. Only an adjustment may be negative. */
  amountCents: number
  /** Shown in the history. */
  description: string
  /** Identifies what is booked, such as `approval:12`: a reference is booked at most once, ever. */
  reference?: string
  /** The other wallet; of a `transfer` only. */
  toWalletId?: string
}

export type Posted =
  | {
      posted: true
      transactionId: number
      balanceCents: number
      /** The reference was booked before: nothing moved now, and `balanceCents` is the present balance. */
      repeated: boolean
    }
  | { posted: false; balanceCents: number }

/** The entry of a transaction in a wallet that it moved. */
export interface LedgerEntry {
  transactionId: number
  type: TransactionType
  /** The change of the balance: negative for outgoing credits. */
  amountCents: number
  description: string
  balanceAfterCents: number
  createdAt: Date
}

const outgoing: ReadonlySet<TransactionType> = new Set(['spend', 'repayment', 'refund', 'transfer'])

/** The change of the wallet's balance. @throws RangeError when the type does not allow the amount */
const signed = ({ type, amountCents }: Posting): number => {
  if (!Number.isSafeInteger(amountCents) || amountCents === 0 || (amountCents < 0 && type !== 'adjustment')) {
    throw new RangeError(`A posting of the type ${type} cannot have the amount ${amountCents}.`)
  }
  return outgoing.has(type) ? -amountCents : amountCents
}

/**
 * Books one movement in one statement: locks the row of each wallet, checks the balance, writes two entries.
 *
 * @returns `posted: false` and the balance when the wallet holds too little; then nothing was written
 * @throws the database's error when the wallet does not exist, or when `reference` was booked with another wallet or amount
 */
export const post = async (trx: Trx, posting: Posting, now: Date): Promise<Posted> => {
  const { walletId, type, description, reference = null, toWalletId = null } = posting
  const { rows } = await sql<{
    outcome: 'posted' | 'repeated' | 'insufficient'
    transactionId: number
    balanceCents: number
  }>`select outcome, transaction_id as "transactionId", balance_cents as "balanceCents"
    from ledger_post(${walletId}, ${type}, ${signed(posting)}::bigint,
      ${description}, ${reference}, ${now}::timestamptz, ${toWalletId})`.execute(trx)
  const [row] = rows
  if (row === undefined) throw new Error('ledger_post returned no row.')
  const { outcome, transactionId, balanceCents } = row
  if (outcome === 'insufficient') return { posted: false, balanceCents }
  return { posted: true, transactionId, balanceCents, repeated: outcome === 'repeated' }
}

/** Opens an empty wallet; an open wallet stays unchanged. */
export const openWallet = async (trx: Trx, walletId: string, now: Date): Promise<void> => {
  await trx
    .insertInto('ledger_wallets')
    .values({ wallet_id: walletId, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** Balances in cents by wallet id, without the wallets that do not exist. */
export const readBalances = async (db: Db, walletIds: string[]): Promise<Map<string, number>> => {
  if (walletIds.length === 0) return new Map()
  const rows = await db
    .selectFrom('ledger_wallets')
    .select(['wallet_id', 'balance_cents'])
    .where('wallet_id', 'in', walletIds)
    .execute()
  return new Map(rows.map((row) => [row.wallet_id, row.balance_cents]))
}

/**
 * Locks one wallet until the transaction ends.
 * @returns its balance in cents
 * @throws Error when the wallet does not exist
 */
export const lockBalance = async (trx: Trx, walletId: string): Promise<number> => {
  const row = await trx
    .selectFrom('ledger_wallets')
    .select('balance_cents')
    .where('wallet_id', '=', walletId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (row === undefined) throw new Error(`Wallet ${walletId} does not exist.`)
  return row.balance_cents
}

/**
 * The effect of one transaction on the wallet that it moved; of a transfer, on the wallet that paid.
 * @throws Error when the transaction does not exist
 */
export const readMovement = async (
  db: Db,
  transactionId: number
): Promise<Pick<LedgerEntry, 'amountCents' | 'balanceAfterCents'>> => {
  const row = await db
    .selectFrom('ledger_entries')
    .select(['amount_cents', 'balance_after_cents'])
    .where('transaction_id', '=', transactionId)
    .where('wallet_id', 'is not', null)
    .orderBy('amount_cents')
    .executeTakeFirst()
  if (row === undefined) throw new Error(`Ledger transaction ${transactionId} does not exist.`)
  return { amountCents: row.amount_cents, balanceAfterCents: row.balance_after_cents ?? 0 }
}

/** A wallet's entries, newest first; only those before the transaction `beforeId` when it is given. */
export const readHistory = async (
  db: Db,
  walletId: string,
  limit: number,
  beforeId?: number
): Promise<LedgerEntry[]> => {
  const rows = await db
    .selectFrom('ledger_entries')
    .innerJoin('ledger_transactions', 'ledger_transactions.id', 'ledger_entries.transaction_id')
    .select([
      'ledger_entries.transaction_id as transactionId',
      'ledger_entries.amount_cents as amountCents',
      'ledger_entries.balance_after_cents as balanceAfterCents',
      'ledger_transactions.type',
      'ledger_transactions.description',
      'ledger_transactions.created_at as createdAt'
    ])
    .where('ledger_entries.wallet_id', '=', walletId)
    .$if(beforeId !== undefined, (query) => query.where('ledger_entries.transaction_id', '<', beforeId ?? 0))
    .orderBy('ledger_entries.transaction_id', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({ ...row, balanceAfterCents: row.balanceAfterCents ?? 0 }))
}
