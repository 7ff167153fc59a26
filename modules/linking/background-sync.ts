import type { FastifyInstance } from 'fastify'
import { mapConcurrent } from './concurrency.ts'
import { listItemsToSync } from './queries/syncs.ts'
import type { Sync } from './sync.ts'

const jobName = 'sync items that changed'
const intervalMs = 20_000
const batchSize = 50
const maxBatches = 20
const maxConcurrentSyncs = 3

/**
 * Registers the job that syncs items with a requested sync. Requests are stored together with their cause, so a crash loses none.
 * @returns a function that runs the job now.
 */
export const startBackgroundSync = (
  { clock, database, jobs }: Pick<FastifyInstance, 'clock' | 'database' | 'jobs'>,
  sync: Sync
): (() => void) => {
  jobs.every(jobName, intervalMs, async () => {
    for (let batch = 0; batch < maxBatches; batch++) {
      const ids = await listItemsToSync(database.db, clock.now(), batchSize)
      if (ids.length === 0) return
      await mapConcurrent(ids, maxConcurrentSyncs, sync)
    }
  })
  return jobs.prompter(jobName)
}
