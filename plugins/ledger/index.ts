import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Db, Trx } from '../database/types.ts'
import {
  lockBalance,
  openWallet,
  post,
  readBalances,
  readHistory,
  readMovement,
  type HistoryRow,
  type Posted,
  type Posting
} from './book.ts'
import { verifyLedger } from './verify.ts'
import './tables.ts'

export type { HistoryRow, Posted, Posting } from './book.ts'
export type { TransactionType } from './tables.ts'

export const ledgerCheckJob = 'verify the ledger'
const checkEveryMs = 24 * 3_600_000
const lookEveryMs = 10 * 60_000

export interface Ledger {
  /** Opens an empty wallet for an agent; one that is open already stays as it is. */
  openWallet(trx: Trx, walletId: string): Promise<void>
  /**
   * The only way in which credits move. Writes a balanced pair of entries, or nothing when the wallet holds too little (`posted: false`).
   * @throws the database's error when there is no such wallet, or when `reference` was booked with another content.
   */
  post(trx: Trx, posting: Posting): Promise<Posted>
  /** A balance in cents; undefined when there is no such wallet. */
  balance(db: Db, walletId: string): Promise<number | undefined>
  /** Balances in cents by wallet. */
  balances(db: Db, walletIds: string[]): Promise<Map<string, number>>
  /** A balance in cents that nobody else moves until the transaction ends. */
  lockBalance(trx: Trx, walletId: string): Promise<number>
  /**
   * What one transaction did to its wallet; in cents, negative for what went out.
   * @throws Error when there is no such transaction.
   */
  movement(db: Db, transactionId: number): Promise<Pick<HistoryRow, 'amountCents' | 'balanceAfterCents'>>
  /** A wallet's movements, newest first; `beforeId` is the transaction to go on after. */
  history(db: Db, walletId: string, limit: number, beforeId?: number): Promise<HistoryRow[]>
}

/** Verifies the book once a day, by whichever instance finds it due, and leaves the result where health shows it. */
const checkWhenDue = async ({ clock, database: { db }, log }: FastifyInstance): Promise<void> => {
  const now = clock.now()
  const last = await db.selectFrom('check_results').select('at').where('name', '=', 'ledger').executeTakeFirst()
  if (last !== undefined && now.getTime() - last.at.getTime() < checkEveryMs) return
  const { faults, ...counts } = await verifyLedger(db)
  if (faults.length > 0) log.error({ faults }, 'the ledger does not hold')
  const result = {
    status: faults.length === 0 ? ('ok' as const) : ('failed' as const),
    detail: JSON.stringify({ ...counts, faults: faults.slice(0, 20) }),
    at: now
  }
  await db
    .insertInto('check_results')
    .values({ name: 'ledger', ...result })
    .onConflict((conflict) => conflict.column('name').doUpdateSet(result))
    .execute()
}

declare module 'fastify' {
  interface FastifyInstance {
    ledger: Ledger
  }
}

/** The book of credits. */
export default fp(
  (app, _options, done) => {
    const { clock } = app
    app.decorate('ledger', {
      openWallet: (trx, walletId) => openWallet(trx, walletId, clock.now()),
      post: (trx, posting) => post(trx, posting, clock.now()),
      balance: async (db, walletId) => (await readBalances(db, [walletId])).get(walletId),
      balances: readBalances,
      lockBalance,
      movement: readMovement,
      history: readHistory
    })
    app.jobs.every(ledgerCheckJob, lookEveryMs, () => checkWhenDue(app))
    done()
  },
  { name: 'ledger', dependencies: ['clock', 'database', 'jobs'] }
)
