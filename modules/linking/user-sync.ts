import type { FastifyInstance } from 'fastify'
import { setTimeout as wait } from 'node:timers/promises'
import { upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import { mapBounded } from './bounded.ts'
import { listItemsOfUser } from './queries/items.ts'
import type { SyncOutcome } from './sync.ts'
import type { Viewer } from './viewer.ts'

export type Sync = (itemId: string) => Promise<SyncOutcome>

const width = 4

/** Waits no longer than this; the sync itself goes on, and what it finds is there for the next who asks. */
const orLate = async (outcome: Promise<SyncOutcome>, limitMs: number): Promise<SyncOutcome> => {
  const giveUp = new AbortController()
  const late = wait(limitMs, undefined, { signal: giveUp.signal, ref: false }).then((): SyncOutcome => ({
    state: 'stale',
    error: upstreamUnavailable('The bank’s transactions are still being read. Try again soon.')
  }))
  // Aborted below once it is not needed any more.
  late.catch(() => undefined)
  try {
    return await Promise.race([outcome, late])
  } finally {
    giveUp.abort()
  }
}

/**
 * Asks the banks of an end-user for what is new.
 * @param limitMs how long to wait for each; without it, as long as it takes
 * @returns whether one of them could not be asked.
 * @throws ProblemError 502 when that leaves nothing to answer from.
 */
export const syncUser = async (
  app: FastifyInstance,
  viewer: Viewer,
  userId: string,
  sync: Sync,
  limitMs?: number
): Promise<boolean> => {
  const items = await listItemsOfUser(app.database.db, viewer, userId)
  const outcomes = await mapBounded(items, width, (item) =>
    limitMs === undefined ? sync(item.id) : orLate(sync(item.id), limitMs)
  )
  const failures = outcomes.flatMap((outcome) => (outcome.state === 'stale' ? [outcome.error] : []))
  const [failure] = failures
  const neverSynced = items.every((item) => item.last_synced_at === null)
  if (failure?.kind.code === 'upstream_unavailable' && failures.length === items.length && neverSynced) throw failure
  return failure !== undefined
}
