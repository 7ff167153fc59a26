import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import { mapConcurrent } from './concurrency.ts'
import { listItemsOfUser } from './queries/items.ts'
import type { Sync, SyncOutcome } from './sync.ts'
import type { Viewer } from '../../plugins/access/viewer.ts'

const maxConcurrentItems = 4

/** Limits the wait for a sync. A sync that takes longer continues, and its result is available to later requests. */
const withTimeout = async (outcome: Promise<SyncOutcome>, timeoutMs: number): Promise<SyncOutcome> => {
  const timer = new AbortController()
  const late = delay(timeoutMs, undefined, { signal: timer.signal, ref: false }).then((): SyncOutcome => ({
    state: 'stale',
    error: upstreamUnavailable('Reading the transactions from the bank takes longer than usual. Retry soon.')
  }))
  late.catch(() => undefined)
  try {
    return await Promise.race([outcome, late])
  } finally {
    timer.abort()
  }
}

/**
 * Syncs all items of an end-user.
 * @param timeoutMs limits the wait for each item; unlimited by default.
 * @returns whether a bank was unreachable, so that the stored data may be stale.
 * @throws ProblemError 502 when all banks were unreachable and nothing is stored.
 */
export const syncUser = async (
  { database }: Pick<FastifyInstance, 'database'>,
  viewer: Viewer,
  userId: string,
  sync: Sync,
  timeoutMs?: number
): Promise<boolean> => {
  const items = await listItemsOfUser(database.db, viewer, userId)
  const outcomes = await mapConcurrent(items, maxConcurrentItems, (item) =>
    timeoutMs === undefined ? sync(item.id) : withTimeout(sync(item.id), timeoutMs)
  )
  const failures = outcomes.flatMap((outcome) => (outcome.state === 'stale' ? [outcome.error] : []))
  const [failure] = failures
  const wasNeverSynced = items.every((item) => item.lastSyncedAt === null)
  if (failure?.kind.code === 'upstream_unavailable' && failures.length === items.length && wasNeverSynced) throw failure
  return failure !== undefined
}
