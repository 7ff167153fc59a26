import { AsyncLocalStorage } from 'node:async_hooks'
import type { FastifyInstance } from 'fastify'
import { sweepPayments } from './sweep.ts'
import { syncTransfers } from './sync.ts'

export const syncJob = 'sync transfers with Plaid'
export const sweepJob = 'sweep abandoned transfers'
const syncIntervalMs = 20_000
const sweepIntervalMs = 60_000

/** Syncs transfers with Plaid at intervals, and at once when Plaid's webhook announces new events. */
export const startBackgroundWork = (app: FastifyInstance): void => {
  app.jobs.every(syncJob, syncIntervalMs, () => syncTransfers(app))
  app.jobs.every(sweepJob, sweepIntervalMs, () => sweepPayments(app))
  // The webhook's handler runs in a transaction; the sync that it starts must not run as a part of that.
  const outside = AsyncLocalStorage.snapshot()
  const syncNow = app.jobs.prompter(syncJob)
  app.plaid.onWebhook('TRANSFER', (_trx, { webhook_code: code }) => {
    if (code === 'TRANSFER_EVENTS_UPDATE') outside(syncNow)
    return Promise.resolve()
  })
}
