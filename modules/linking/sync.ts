import type { FastifyInstance } from 'fastify'
import type { AccountBase } from 'plaid'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { isPlaidFailure, type PlaidClient } from '../../plugins/plaid/index.ts'
import { recordUsage, type UsageEvent } from '../ingest/index.ts'
import { decryptAccessToken } from './access-token.ts'
import { foldPages, toNewAccounts, toNewTransaction, type NewTransaction, type Page } from './changes.ts'
import { transactionIdOf } from './ids.ts'
import { recordItemFailure } from './item-status.ts'
import { addAccounts, readAccountIds } from './queries/accounts.ts'
import { writeChanges } from './queries/feed.ts'
import { readItem, type Item } from './queries/items.ts'
import { advanceCursor, cancelSync, postponeSync } from './queries/syncs.ts'

/** `synced`: the stored data is current. `stale`: Plaid or the bank was unreachable. `gone`: the item was deleted. */
export type SyncOutcome = { state: 'synced' | 'gone' } | { state: 'stale'; error: ProblemError }

export type Sync = (itemId: string) => Promise<SyncOutcome>

export type LinkingDependencies = Pick<FastifyInstance, 'clock' | 'database' | 'outbox' | 'plaid' | 'secrets'>

const pageSize = 500
const maxPages = 400
const maxRestarts = 5
const maxRaces = 3
const usageBatchSize = 1_000
const retryAfterMs = 60_000

/** All pages from one cursor to the end. */
interface Changes {
  pages: Page[]
  accounts: AccountBase[]
  cursor: string
}

/** Reads all pages from a cursor. Only the last cursor may be stored: those in between become invalid. */
const readPages = async (client: PlaidClient, accessToken: string, from: string | null): Promise<Changes> => {
  const pages: Page[] = []
  const accounts = new Map<string, AccountBase>()
  let cursor = from ?? ''
  while (pages.length < maxPages) {
    const at = cursor === '' ? {} : { cursor }
    const page = await client.call(
      (api) => api.transactionsSync({ access_token: accessToken, count: pageSize, ...at }),
      { repeatable: true }
    )
    pages.push(page)
    for (const account of page.accounts) accounts.set(account.account_id, account)
    cursor = page.next_cursor
    if (!page.has_more) return { pages, accounts: [...accounts.values()], cursor }
  }
  throw upstreamUnavailable(`Plaid returned more than ${maxPages} pages of transactions for one item.`)
}

/** Reads all pages, restarting when the item changes during pagination, as Plaid requires. */
const readChanges = async (client: PlaidClient, accessToken: string, from: string | null): Promise<Changes> => {
  for (let restart = 0; restart <= maxRestarts; restart++) {
    try {
      return await readPages(client, accessToken, from)
    } catch (error) {
      if (!isPlaidFailure(error, 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION')) throw error
    }
  }
  throw upstreamUnavailable('The transactions kept changing while they were read. Retry soon.')
}

/**
 * One usage event per purchase: a posted transaction has the event id of the pending one that it replaces. Counts the absolute
 * amount, and only in US dollars.
 */
const usageOf = ({ partnerId, environment, userId }: Item, transactions: NewTransaction[]): UsageEvent[] =>
  transactions.map(({ id, pendingTransactionId, amountCents, isoCurrencyCode, category }) => ({
    partnerId,
    environment,
    type: 'transaction',
    userId,
    amountCents: isoCurrencyCode === 'USD' ? Math.abs(amountCents) : undefined,
    category: category ?? undefined,
    eventId: `transaction:${pendingTransactionId ?? id}`
  }))

/** Applies changes: the cursor, accounts, transactions, usage and event commit together. @returns false when another sync came first. */
const applyChanges = async (
  { clock, outbox }: Pick<FastifyInstance, 'clock' | 'outbox'>,
  trx: Trx,
  from: Item,
  { pages, accounts, cursor }: Changes
): Promise<boolean> => {
  const now = clock.now()
  const item = await advanceCursor(trx, from, cursor, now)
  if (item === undefined) return false
  const states = [...foldPages(pages)]
  if (states.length === 0) return true
  await addAccounts(trx, item.id, toNewAccounts(accounts, now))
  const accountIds = await readAccountIds(trx, item.id)
  const saved = states.flatMap(([, transaction]) =>
    transaction === null ? [] : [toNewTransaction(item.id, transaction, accountIds)]
  )
  saved.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0))
  const removed = states.flatMap(([id, transaction]) => (transaction === null ? [transactionIdOf(item.id, id)] : []))
  await writeChanges(trx, item, saved, removed)
  for (let start = 0; start < saved.length; start += usageBatchSize) {
    await recordUsage(trx, usageOf(item, saved.slice(start, start + usageBatchSize)), now)
  }
  const data = { item_id: item.id, user_id: item.userId, changed: saved.length, removed: removed.length }
  await outbox.publish(trx, [
    { partnerId: item.partnerId, environment: item.environment, type: 'transactions.updated', data }
  ])
  return true
}

const syncOnce = async (app: LinkingDependencies, itemId: string): Promise<SyncOutcome> => {
  const { db } = app.database
  for (let race = 0; race < maxRaces; race++) {
    const item = await readItem(db, itemId)
    if (item === undefined) return { state: 'gone' }
    try {
      const accessToken = decryptAccessToken(app.secrets, item)
      const changes = await readChanges(app.plaid.in(item.environment), accessToken, item.syncCursor)
      if (await transact(db, (trx) => applyChanges(app, trx, item, changes))) return { state: 'synced' }
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
