import type { FastifyInstance } from 'fastify'
import { deleteOldEvents } from './queries/publishing.ts'

/** Events and their deliveries are kept for 30 days. */
export const eventLifetimeMs = 30 * 24 * 3_600_000

const batchSize = 1_000

/** Deletes what is too old, in batches, so that nobody waits long for a lock. */
export const deleteExpiredEvents = async ({ clock, database }: FastifyInstance): Promise<void> => {
  const before = new Date(clock.now().getTime() - eventLifetimeMs)
  let deleted: number
  do {
    deleted = await deleteOldEvents(database.db, before, batchSize)
  } while (deleted === batchSize)
}
