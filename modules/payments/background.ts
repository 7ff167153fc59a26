import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import { sweepPayments } from './sweep.ts'
import { syncTransfers } from './sync.ts'

export const syncJob = 'sync transfers with Plaid'
export const sweepJob = 'sweep what payments left behind'
const syncIntervalMs = 20_000
const sweepIntervalMs = 60_000

/** Keeps transfers in step with Plaid: at intervals, and at once when Plaid's webhook says that there is news. */
export const startBackgroundWork = (app: FastifyInstance): void => {
  app.jobs.every(syncJob, syncIntervalMs, () => syncTransfers(app))
  app.jobs.every(sweepJob, sweepIntervalMs, () => sweepPayments(app))
  // A webhook is taken in a transaction, and what it wakes must not be taken for a part of that.
  const outside = AsyncLocalStorage.snapshot()
  let closing = false
  let again = false
  let working = false
  app.addHook('preClose', () => {
    closing = true
  })
  const work = async (): Promise<void> => {
    working = true
    try {
      do {
        again = false
        await app.jobs.run(syncJob)
      } while (again && !closing)
    } finally {
      working = false
    }
  }
  app.plaid.onWebhook('TRANSFER', (_trx, { webhook_code: code }) => {
    if (code === 'TRANSFER_EVENTS_UPDATE' && !closing) {
      if (working) again = true
      else outside(() => work()).catch((error: unknown) => app.log.error({ err: error }, 'transfers could not be synced; they are at the next turn'))
    }
    return Promise.resolve()
  })
}
