import fp from 'fastify-plugin'
import type { Clock } from '../clock.ts'
import { checkDaily } from '../database/daily-check.ts'
import type { Db, Trx } from '../database/types.ts'
import { lockBalance, openWallet, post, readBalances, readHistory, readMovement, type Posting } from './book.ts'
import { verifyLedger } from './verify.ts'
import './tables.ts'

export type { LedgerEntry, Posted, Posting } from './book.ts'
export type { TransactionType } from './tables.ts'

export const ledgerCheckJob = 'verify the ledger'
const jobEveryMs = 10 * 60_000
const mostFaultsStored = 20

const createLedger = (clock: Clock) => ({
  /** Opens an empty wallet for an agent; an open wallet stays unchanged. */
  openWallet: (trx: Trx, walletId: string) => openWallet(trx, walletId, clock.now()),
  /**
   * The only way to move credits. Writes a balanced pair of entries, or nothing when the wallet holds too little (`posted: false`).
   * @throws the database's error when the wallet does not exist, or when `reference` was booked with other content
   */
  post: (trx: Trx, posting: Posting) => post(trx, posting, clock.now()),
  /** A balance in cents; undefined when the wallet does not exist. */
  balance: async (db: Db, walletId: string) => (await readBalances(db, [walletId])).get(walletId),
  balances: readBalances,
  lockBalance,
  movement: readMovement,
  history: readHistory
})

export type Ledger = ReturnType<typeof createLedger>

declare module 'fastify' {
  interface FastifyInstance {
    ledger: Ledger
  }
}

/** The ledger of credits. */
export default fp(
  async (app) => {
    const { clock, database, log } = app
    app.decorate('ledger', createLedger(clock))
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
  },
  { name: 'ledger', dependencies: ['clock', 'database', 'jobs'] }
)
