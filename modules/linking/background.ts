import type { FastifyInstance } from 'fastify'
import { mapBounded } from './bounded.ts'
import { listItemsToSync } from './queries/items.ts'
import type { SyncOutcome } from './sync.ts'

const jobName = 'sync items that changed'
const intervalMs = 20_000
const batch = 50
const mostBatches = 20
const width = 3

/**
 * Syncs items whose sync somebody asked for, in the background. The wish is stored with what caused it, so a crash loses none.
 * @returns a function that makes it begin now instead of at its next turn.
 */
export const startBackgroundSync = (
  app: FastifyInstance,
  sync: (itemId: string) => Promise<SyncOutcome>
): (() => void) => {
  app.jobs.every(jobName, intervalMs, async () => {
    for (let i = 0; i < mostBatches; i++) {
      const ids = await listItemsToSync(app.database.db, app.clock.now(), batch)
      if (ids.length === 0) return
      await mapBounded(ids, width, sync)
    }
  })
  return app.jobs.prompter(jobName)
}
