import { sql } from 'kysely'
import type { Db, Trx } from '../database/types.ts'
import type { TransactionType } from './tables.ts'

/** One movement of credits between a wallet and the rest of the world. */
export interface Posting {
  /** The agent's id. */
  walletId: string
  /** `earn` and `loan` bring credits in, `spend`, `repayment` and `refund` (of a payment) take them out, an `adjustment` does either. */
  type: TransactionType
  /** In hundredths of a credit, greater than zero; the type gives the direction. Only an adjustment may be negative. */
  amountCents: number
  /** What the history shows. */
  description: string
  /** What this books, such as `approval:12`: the same reference books once, ever. */
  reference?: string
}

export type Posted =
  | {
      posted: true
      transactionId: number
      balanceCents: number
      /** The reference had been booked before; nothing moved now, and `balanceCents` is the balance as it is. */
      repeated: boolean
    }
  | { posted: false; balanceCents: number }

export interface HistoryRow {
  id: number
  type: TransactionType
  /** By how much the balance changed: negative for what went out. */
  amountCents: number
  description: string
  balanceAfterCents: number
  createdAt: Date
}

const outgoing: ReadonlySet<TransactionType> = new Set(['spend', 'repayment', 'refund'])

/** The amount as the wallet sees it. */
const signed = ({ type, amountCents }: Posting): number => {
  if (!Number.isSafeInteger(amountCents) || amountCents === 0 || (amountCents < 0 && type !== 'adjustment')) {
    throw new RangeError(`A posting of the type ${type} cannot have the amount ${amountCents}.`)
  }
  return outgoing.has(type) ? -amountCents : amountCents
}

/**
 * Books one movement, in one statement: the wallet's row is locked, the balance checked, two entries written.
 *
 * @returns `posted: false` and the balance when the wallet holds too little; nothing was written then.
 * @throws the database's error when there is no such wallet, or when `reference` was booked with another wallet or amount.
 */
export const post = async (trx: Trx, posting: Posting, now: Date): Promise<Posted> => {
  const { rows } = await sql<{
    outcome: 'posted' | 'repeated' | 'insufficient'
    transaction_id: number
    balance_cents: number
  }>`
    select outcome, transaction_id, balance_cents from ledger_post(
      ${posting.walletId}, ${posting.type}, ${signed(posting)}::bigint, ${posting.description}, ${posting.reference ?? null}, ${now}::timestamptz)`.execute(
    trx
  )
  const [row] = rows
  if (row === undefined) throw new Error('The ledger gave no answer.')
  if (row.outcome === 'insufficient') return { posted: false, balanceCents: row.balance_cents }
  return {
    posted: true,
    transactionId: row.transaction_id,
    balanceCents: row.balance_cents,
    repeated: row.outcome === 'repeated'
  }
}

/** Opens an empty wallet; one that is open already stays as it is. */
export const openWallet = async (trx: Trx, walletId: string, now: Date): Promise<void> => {
  await trx
    .insertInto('ledger_wallets')
    .values({ wallet_id: walletId, created_at: now })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
}

/** The balances of wallets by their ids; one that does not exist is not in the map. */
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
 * The balance of one wallet, which nobody else moves until the transaction ends.
 * @throws Error when there is no such wallet.
 */
export const lockBalance = async (trx: Trx, walletId: string): Promise<number> => {
  const row = await trx
    .selectFrom('ledger_wallets')
    .select('balance_cents')
    .where('wallet_id', '=', walletId)
    .forNoKeyUpdate()
    .executeTakeFirst()
  if (row === undefined) throw new Error(`There is no wallet ${walletId}.`)
  return row.balance_cents
}

/**
 * What one transaction did to the wallet that it moved.
 * @throws Error when there is no such transaction.
 */
export const readMovement = async (
  db: Db,
  transactionId: number
): Promise<Pick<HistoryRow, 'amountCents' | 'balanceAfterCents'>> => {
  const row = await db
    .selectFrom('ledger_entries')
    .select(['amount_cents', 'balance_after_cents'])
    .where('transaction_id', '=', transactionId)
    .where('wallet_id', 'is not', null)
    .executeTakeFirst()
  if (row === undefined) throw new Error(`There is no ledger transaction ${transactionId}.`)
  return { amountCents: row.amount_cents, balanceAfterCents: row.balance_after_cents ?? 0 }
}

/** A wallet's movements, newest first, those before the transaction `beforeId` when it is given. */
export const readHistory = async (
  db: Db,
  walletId: string,
  limit: number,
  beforeId?: number
): Promise<HistoryRow[]> => {
  const rows = await db
    .selectFrom('ledger_entries')
    .innerJoin('ledger_transactions', 'ledger_transactions.id', 'ledger_entries.transaction_id')
    .select([
      'ledger_entries.transaction_id',
      'ledger_entries.amount_cents',
      'ledger_entries.balance_after_cents',
      'ledger_transactions.type',
      'ledger_transactions.description',
      'ledger_transactions.created_at'
    ])
    .where('ledger_entries.wallet_id', '=', walletId)
    .$if(beforeId !== undefined, (query) => query.where('ledger_entries.transaction_id', '<', beforeId ?? 0))
    .orderBy('ledger_entries.transaction_id', 'desc')
    .limit(limit)
    .execute()
  return rows.map((row) => ({
    id: row.transaction_id,
    type: row.type,
    amountCents: row.amount_cents,
    description: row.description,
    balanceAfterCents: row.balance_after_cents ?? 0,
    createdAt: row.created_at
  }))
}
