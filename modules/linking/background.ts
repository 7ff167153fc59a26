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
export const startBackgroundSync = (app: FastifyInstance, sync: (itemId: string) => Promise<SyncOutcome>): (() => void) => {
  app.jobs.every(jobName, intervalMs, async () => {
    for (let i = 0; i < mostBatches; i++) {
      const ids = await listItemsToSync(app.database.db, app.clock.now(), batch)
      if (ids.length === 0) return
      await mapBounded(ids, width, sync)
    }
  })
  let closing = false
  let working = false
  let again = false
  app.addHook('preClose', () => {
    closing = true
  })
  const work = async (): Promise<void> => {
    working = true
    try {
      do {
        again = false
        await app.jobs.run(jobName)
        // Asked for while it ran: it may have looked before the wish was stored.
      } while (again && !closing)
    } finally {
      working = false
    }
  }
  return () => {
    if (closing) return
    if (working) again = true
    else work().catch((error: unknown) => app.log.error({ err: error }, 'a background sync failed; it is tried again at the next turn'))
  }
}
