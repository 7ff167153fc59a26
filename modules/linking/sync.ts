import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { decryptAccessToken } from './access-token.ts'
import { applyChanges, logQuarantined, storeNewAccounts } from './apply-changes.ts'
import { recordItemFailure } from './item-status.ts'
import { isCursorRefusal, readChanges } from './plaid-pages.ts'
import { readItem, type Item } from './queries/items.ts'
import { cancelSync, discardCursor, postponeSync } from './queries/syncs.ts'

/** `synced`: the stored data is current. `stale`: Plaid or the bank was unreachable. `gone`: the item was deleted. */
export type SyncOutcome = { state: 'synced' | 'gone' } | { state: 'stale'; error: ProblemError }

export type Sync = (itemId: string) => Promise<SyncOutcome>

export type LinkingDependencies = Pick<FastifyInstance, 'clock' | 'database' | 'log' | 'outbox' | 'plaid' | 'secrets'>

const maxRaces = 3
const retryAfterMs = 60_000

/** Reads and applies the changes of an item. @returns false when another sync came first, or Plaid refused the cursor. */
const step = async (app: LinkingDependencies, item: Item): Promise<boolean> => {
  const { db } = app.database
  const { id, environment, syncCursor } = item
  const accessToken = decryptAccessToken(app.secrets, item)
  try {
    const changes = await readChanges(app.plaid.in(environment), accessToken, syncCursor)
    await storeNewAccounts(app, item, changes.accounts)
    const kept = await transact(db, (trx) => applyChanges(app, trx, item, changes))
    logQuarantined(app, id, kept ?? [])
    return kept !== undefined
  } catch (error) {
    if (syncCursor === null || !isCursorRefusal(error)) throw error
    app.log.warn({ itemId: id }, 'Plaid refused the cursor of an item. Its transactions are read again from the start.')
    await discardCursor(db, id, syncCursor)
    return false
  }
}

const syncOnce = async (app: LinkingDependencies, itemId: string): Promise<SyncOutcome> => {
  const { db } = app.database
  for (let race = 0; race < maxRaces; race++) {
    const item = await readItem(db, itemId)
    if (item === undefined) return { state: 'gone' }
    try {
      if (await step(app, item)) return { state: 'synced' }
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      // The end-user has to repair an item failure, so the background sync stops until the next request.
      const isItemFailure = await recordItemFailure(app, itemId, error)
      if (item.syncsWanted > item.syncsDone)
        await (isItemFailure
          ? cancelSync(db, itemId)
          : postponeSync(db, itemId, new Date(app.clock.now().getTime() + retryAfterMs)))
      return { state: 'stale', error }
    }
  }
  // Each time another instance applied newer changes, so the stored data is current.
  return { state: 'synced' }
}

interface Turn {
  running: Promise<SyncOutcome>
  next?: Promise<SyncOutcome>
}

/**
 * Runs at most one sync per item at a time in this process. Callers that arrive during a sync share the next one, because the running
 * one may already have read past the change that they wait for.
 */
const createSync = (app: LinkingDependencies): Sync => {
  const turns = new Map<string, Turn>()
  const begin = (itemId: string): Promise<SyncOutcome> => {
    const turn: Turn = { running: syncOnce(app, itemId) }
    turns.set(itemId, turn)
    const end = () => {
      if (turns.get(itemId) === turn && turn.next === undefined) turns.delete(itemId)
    }
    turn.running.then(end, end)
    return turn.running
  }
  return (itemId) => {
    const turn = turns.get(itemId)
    if (turn === undefined) return begin(itemId)
    const start = () => begin(itemId)
    turn.next ??= turn.running.then(start, start)
    return turn.next
  }
}

const syncsByServer = new WeakMap<object, Sync>()

/** Returns the sync function of a server, which all domains share. */
export const syncOf = (app: LinkingDependencies): Sync => {
  const sync = syncsByServer.get(app.plaid) ?? createSync(app)
  syncsByServer.set(app.plaid, sync)
  return sync
}
