import type { FastifyInstance } from 'fastify'
import type { AccountBase } from 'plaid'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { isPlaidFailure, type PlaidClient } from '../../plugins/plaid/index.ts'
import { recordUsage, type UsageEvent } from '../ingest/index.ts'
import { foldPages, toAccountRows, toTransactionRow, type Page, type TransactionRow } from './changes.ts'
import { transactionIdOf } from './ids.ts'
import { addAccounts, readAccountIds } from './queries/accounts.ts'
import { writeChanges } from './queries/feed.ts'
import { advanceCursor, postponeSync, readItem, tokenContext, type ItemRow } from './queries/items.ts'
import { noteItemFailure } from './status.ts'

/** `synced`: what is stored is what Plaid tells now. `stale`: Plaid or the bank could not be asked. `gone`: the item was deleted. */
export type SyncOutcome = { state: 'synced' | 'gone' } | { state: 'stale'; error: ProblemError }

const pageSize = 500
const mostPages = 400
const mostRestarts = 5
const mostRaces = 3
const usageBatch = 1_000
const retryAfterMs = 60_000

interface Loop {
  pages: Page[]
  accounts: AccountBase[]
  cursor: string
}

/** Reads pages from a cursor until there are no more. The cursors in between are worth nothing: only the last one may be kept. */
const readLoop = async (client: PlaidClient, accessToken: string, from: string | null): Promise<Loop> => {
  const pages: Page[] = []
  const accounts = new Map<string, AccountBase>()
  let cursor = from ?? ''
  while (pages.length < mostPages) {
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
  throw upstreamUnavailable(`Plaid has more than ${mostPages} pages of transactions for one item.`)
}

/** Reads a whole loop, from its beginning again when the item changes under it, as Plaid wants it. */
const readChanges = async (client: PlaidClient, accessToken: string, from: string | null): Promise<Loop> => {
  for (let restart = 0; restart <= mostRestarts; restart++) {
    try {
      return await readLoop(client, accessToken, from)
    } catch (error) {
      if (!isPlaidFailure(error, 'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION')) throw error
    }
  }
  throw upstreamUnavailable('The transactions kept changing while they were read. Try again soon.')
}

/**
 * One usage event a purchase: a posted transaction counts under the id of the pending one that it took the place of. The size counts, in US dollars only,
 * whichever way the money went.
 */
const usageOf = (item: ItemRow, rows: TransactionRow[]): UsageEvent[] =>
  rows.map((row) => ({
    partner_id: item.partner_id,
    event_type: 'transaction',
    user_id: item.user_id,
    amount_cents: row.iso_currency_code === 'USD' ? Math.abs(row.amount_cents) : undefined,
    category: row.category ?? undefined,
    event_id: `transaction:${row.pending_transaction_id ?? row.id}`
  }))

/** Applies a loop: the item's cursor, accounts, transactions, usage and the event commit together, or nothing does. */
const applyLoop = async (
  app: FastifyInstance,
  trx: Trx,
  from: ItemRow,
  { pages, accounts, cursor }: Loop
): Promise<boolean> => {
  const now = app.clock.now()
  const item = await advanceCursor(trx, from, cursor, now)
  if (item === undefined) return false
  const changes = [...foldPages(pages)]
  if (changes.length === 0) return true
  await addAccounts(trx, item.id, toAccountRows(accounts, now))
  const accountIds = await readAccountIds(trx, item.id)
  const saved = changes.flatMap(([, transaction]) =>
    transaction === null ? [] : [toTransactionRow(item.id, transaction, accountIds)]
  )
  saved.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0))
  const removed = changes.flatMap(([id, transaction]) => (transaction === null ? [transactionIdOf(item.id, id)] : []))
  await writeChanges(trx, item, saved, removed)
  for (let start = 0; start < saved.length; start += usageBatch) {
    await recordUsage(trx, usageOf(item, saved.slice(start, start + usageBatch)), now)
  }
  const data = { item_id: item.id, user_id: item.user_id, changed: saved.length, removed: removed.length }
  await app.outbox.publish(trx, [{ partnerId: item.partner_id, type: 'transactions.updated', data }])
  return true
}

const syncOnce = async (app: FastifyInstance, itemId: string): Promise<SyncOutcome> => {
  const { db } = app.database
  for (let race = 0; race < mostRaces; race++) {
    const item = await readItem(db, itemId)
    if (item === undefined) return { state: 'gone' }
    try {
      const accessToken = app.secrets.decrypt(item.access_token, tokenContext(item.id))
      const loop = await readChanges(app.plaid.in(item.environment), accessToken, item.sync_cursor)
      if (await transact(db, (trx) => applyLoop(app, trx, item, loop))) return { state: 'synced' }
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      // A failure of the item is for its owner to repair; until somebody asks again there is no use in trying.
      const ofItem = await noteItemFailure(app, itemId, error)
      if (item.syncs_wanted > item.syncs_done)
        await postponeSync(db, itemId, ofItem ? 'asked again' : new Date(app.clock.now().getTime() + retryAfterMs))
      return { state: 'stale', error }
    }
  }
  // Another instance applied newer changes each time, so what is stored is fresh.
  return { state: 'synced' }
}

interface Turn {
  running: Promise<SyncOutcome>
  next?: Promise<SyncOutcome>
}

/**
 * Syncs items, each by one loop at a time in this process. Whoever asks during a loop gets the outcome of the next one, which all who wait share: the
 * running one may have read its pages before what the asker wants to see.
 */
const createSyncer = (app: FastifyInstance): ((itemId: string) => Promise<SyncOutcome>) => {
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

const syncers = new WeakMap<object, ReturnType<typeof createSyncer>>()

/** The one syncer of a server, whichever domain asks for it. */
export const syncerOf = (app: FastifyInstance): ReturnType<typeof createSyncer> => {
  const known = syncers.get(app.server)
  if (known !== undefined) return known
  const syncer = createSyncer(app)
  syncers.set(app.server, syncer)
  return syncer
}
