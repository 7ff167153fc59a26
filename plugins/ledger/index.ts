import fp from 'fastify-plugin'
import { checkDaily } from '../database/daily-check.ts'
import type { Db, Trx } from '../database/types.ts'
import {
  lockBalance,
  openWallet,
  post,
  readBalances,
  readHistory,
  readMovement,
  type LedgerEntry,
  type Posted,
  type Posting
} from './book.ts'
import { verifyLedger } from './verify.ts'
import './tables.ts'

export type { LedgerEntry, Posted, Posting } from './book.ts'
export type { TransactionType } from './tables.ts'

export const ledgerCheckJob = 'verify the ledger'
const jobEveryMs = 10 * 60_000
const mostFaultsStored = 20

export interface Ledger {
  /** Opens an empty wallet for an agent; an open wallet stays unchanged. */
  openWallet(trx: Trx, walletId: string): Promise<void>
  /**
   * The only way to move credits. Writes a balanced pair of entries, or nothing when the wallet holds too little (`posted: false`).
   * @throws the database's error when the wallet does not exist, or when `reference` was booked with other content
   */
  post(trx: Trx, posting: Posting): Promise<Posted>
  /** A balance in cents; undefined when the wallet does not exist. */
  balance(db: Db, walletId: string): Promise<number | undefined>
  /** Balances in cents by wallet. */
  balances(db: Db, walletIds: string[]): Promise<Map<string, number>>
  /** Locks a wallet until the transaction ends. @returns its balance in cents */
  lockBalance(trx: Trx, walletId: string): Promise<number>
  /**
   * The effect of one transaction on its wallet, in cents: negative for outgoing credits.
   * @throws Error when the transaction does not exist
   */
  movement(db: Db, transactionId: number): Promise<Pick<LedgerEntry, 'amountCents' | 'balanceAfterCents'>>
  /** A wallet's entries, newest first; only those before the transaction `beforeId` when it is given. */
  history(db: Db, walletId: string, limit: number, beforeId?: number): Promise<LedgerEntry[]>
}

declare module 'fastify' {
  interface FastifyInstance {
    ledger: Ledger
  }
}

/** The ledger of credits. */
export default fp(
  (app, _options, done) => {
    const { clock, database, log } = app
    app.decorate('ledger', {
      openWallet: (trx, walletId) => openWallet(trx, walletId, clock.now()),
      post: (trx, posting) => post(trx, posting, clock.now()),
      balance: async (db, walletId) => (await readBalances(db, [walletId])).get(walletId),
      balances: readBalances,
      lockBalance,
      movement: readMovement,
      history: readHistory
    })
    app.jobs.every(ledgerCheckJob, jobEveryMs, () =>
      checkDaily(database.db, 'ledger', clock.now(), async (db) => {
        const { faults, ...counts } = await verifyLedger(db)
        if (faults.length > 0) log.error({ faults }, 'ledger verification failed')
        return {
          status: faults.length === 0 ? 'ok' : 'failed',
          detail: JSON.stringify({ ...counts, faults: faults.slice(0, mostFaultsStored) })
        }
      })
    )
    done()
  },
  { name: 'ledger', dependencies: ['clock', 'database', 'jobs'] }
)
