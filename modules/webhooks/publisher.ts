import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { hasUnpublished, publishOldest } from './queries/publishing.ts'

const batchSize = 200

/**
 * Publishes all that is committed, in transactions that leave everything to the next one when the process dies in them.
 * @returns how many events were published.
 */
export const publishEvents = async ({ clock, database }: FastifyInstance): Promise<number> => {
  if (!(await hasUnpublished(database.db))) return 0
  let published = 0
  for (;;) {
    const count = await transact(database.db, (trx) => publishOldest(trx, batchSize, clock.now()))
    published += count
    if (count < batchSize) return published
  }
}
