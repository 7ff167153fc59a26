import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { deleteOldEvents, hasUnpublished, publishOldest } from './queries/events.ts'

/** How long events and their deliveries are kept: 30 days. */
export const eventRetentionMs = 30 * 24 * 3_600_000

/** A full batch means that more events may be unpublished. */
export const publishBatchSize = 200
const deleteBatchSize = 1_000

type Dependencies = Pick<FastifyInstance, 'clock' | 'database'>

/**
 * Publishes up to one batch of committed events, so that deliveries can start between batches. A batch that is interrupted rolls back and is left to the next run.
 * @returns the number of published events.
 */
export const publishEvents = async ({ clock, database }: Dependencies): Promise<number> =>
  (await hasUnpublished(database.db))
    ? await transact(database.db, (trx) => publishOldest(trx, publishBatchSize, clock.now()))
    : 0

/** Deletes events past their retention, in batches that hold their locks only briefly. */
export const deleteExpiredEvents = async ({ clock, database }: Dependencies): Promise<void> => {
  const before = new Date(clock.now().getTime() - eventRetentionMs)
  let deleted: number
  do {
    deleted = await deleteOldEvents(database.db, before, deleteBatchSize)
  } while (deleted === deleteBatchSize)
}
