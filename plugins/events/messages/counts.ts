import { createHash } from 'node:crypto'
import type { Db } from '../../database/types.ts'
import './tables.ts'

/** Hashed, because a phone number or an address is of no other use here. */
const keyOf = (kind: string, recipient: string): string =>
  `${kind}:${createHash('sha256').update(recipient).digest('base64url')}`

/**
 * Counts a message of a kind to a recipient on the present day (UTC).
 * @returns false when `limit` messages are already counted; then this one must not be sent.
 */
export const countMessage = async (
  db: Db,
  kind: string,
  recipient: string,
  limit: number,
  now: Date
): Promise<boolean> => {
  const counted = await db
    .insertInto('message_counts')
    .values({ recipient: keyOf(kind, recipient), day: now.toISOString().slice(0, 10), count: 1 })
    .onConflict((conflict) =>
      conflict
        .columns(['recipient', 'day'])
        .doUpdateSet((eb) => ({ count: eb('message_counts.count', '+', 1) }))
        .where('message_counts.count', '<', limit)
    )
    .returning('count')
    .executeTakeFirst()
  return counted !== undefined
}

/** Deletes the counts of past days. */
export const forgetCounts = async (db: Db, now: Date): Promise<void> => {
  const yesterday = new Date(now.getTime() - 24 * 3_600_000).toISOString().slice(0, 10)
  await db.deleteFrom('message_counts').where('day', '<', yesterday).execute()
}
