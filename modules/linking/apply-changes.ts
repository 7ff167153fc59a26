import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { foldPages, toListing, toNewTransaction, type Folded, type NewTransaction } from './changes.ts'
import { transactionIdOf } from './ids.ts'
import { isFreshSync } from './item-status.ts'
import type { Changes } from './plaid-pages.ts'
import { countPurchases } from './purchase-usage.ts'
import { addAccounts, readAccountsByPlaidId, type Account } from './queries/accounts.ts'
import { lockItemsOf } from './queries/duplicates.ts'
import { listPresentIds, writeChanges } from './queries/feed-changes.ts'
import type { Item } from './queries/items.ts'
import { keepAside, listQuarantined, releaseAllBut, releaseTransactions } from './queries/quarantine.ts'
import { advanceCursor, type SyncStep } from './queries/syncs.ts'
import type { OddRecord } from './records.ts'
import { settleDuplicates } from './settle-duplicates.ts'

type Dependencies = Pick<FastifyInstance, 'clock' | 'database' | 'log' | 'outbox'>

const firstRetryMs = 60_000
const longestRetryMs = 3_600_000

/** Plaid sends a webhook when it has more, but that can be lost. The older the item, the longer it may wait. */
const retryTime = ({ createdAt }: Item, now: Date): Date => {
  const ageMs = now.getTime() - createdAt.getTime()
  return new Date(now.getTime() + Math.min(longestRetryMs, Math.max(firstRetryMs, ageMs / 10)))
}

/** The fault that ends without a later version of the record: when the account becomes known. */
const unknownAccount = '/account_id: unknown account'

/** A fresh sync is only over when Plaid has the whole history; until then, what is missing may still come. */
const stepOf = (item: Item, { cursor, history }: Changes, now: Date): SyncStep => {
  const isIncomplete = cursor === null || (isFreshSync(item) && (history === 'loading' || history === 'recent'))
  const reached = history ?? (item.history === 'loading' ? 'recent' : item.history)
  return {
    cursor: isIncomplete ? null : cursor,
    syncedAt: cursor === null ? null : now,
    history: isIncomplete && item.history !== 'loading' ? item.history : reached,
    retryAt: isIncomplete || history === 'recent' ? retryTime(item, now) : null
  }
}

/** Logs each odd record when it is first kept aside, without its content. */
export const logQuarantined = (
  { log }: Pick<FastifyInstance, 'log'>,
  itemId: string,
  kept: Pick<OddRecord, 'kind' | 'fault'>[]
): void => {
  for (const { kind, fault } of kept) log.warn({ itemId, kind, fault }, 'A record from Plaid was kept aside.')
}

/** Stores the accounts of some changes that are new, and which of them are duplicates, before their transactions are. */
export const storeNewAccounts = async (app: Dependencies, item: Item, records: unknown[]): Promise<void> => {
  const { db } = app.database
  const now = app.clock.now()
  const { accounts, odd } = toListing(records, { asOf: now, now })
  const known = await readAccountsByPlaidId(db, item.id)
  const added = accounts.filter(({ plaidAccountId }) => !known.has(plaidAccountId))
  if (added.length + odd.length === 0) return
  const kept = await transact(db, async (trx) => {
    await lockItemsOf(trx, item)
    await addAccounts(trx, item.id, added)
    await settleDuplicates(app, trx, item)
    return await keepAside(trx, item.id, odd, now)
  })
  logQuarantined(app, item.id, kept)
}

interface Sorted {
  saved: NewTransaction[]
  removedIds: string[]
  odd: OddRecord[]
}

/** Converts the states of transactions, newest first. Those of duplicate accounts are left out; those of unknown accounts are odd. */
const sortStates = (
  item: Item,
  { states, odd }: Folded,
  accounts: ReadonlyMap<string, Pick<Account, 'id' | 'duplicateOf'>>
): Sorted => {
  const sorted: Sorted = { saved: [], removedIds: [], odd: [...odd] }
  for (const [key, transaction] of states) {
    const account = transaction === null ? undefined : accounts.get(transaction.account_id)
    if (transaction === null) sorted.removedIds.push(transactionIdOf(item.id, key))
    else if (account === undefined)
      sorted.odd.push({ kind: 'transaction', key, fault: unknownAccount, record: transaction })
    else if (account.duplicateOf === null) sorted.saved.push(toNewTransaction(item.id, account.id, transaction))
  }
  sorted.saved.sort((a, b) => (a.date < b.date ? 1 : a.date > b.date ? -1 : 0))
  return sorted
}

/** The stored transactions that a fresh sync did not bring back. A record that came back odd stays as it was. */
const listMissing = async (trx: Trx, item: Item, { saved, odd }: Sorted): Promise<string[]> => {
  const present = new Set(saved.map(({ id }) => id))
  for (const { kind, key } of odd) if (kind === 'transaction') present.add(transactionIdOf(item.id, key))
  return (await listPresentIds(trx, item.id)).filter((id) => !present.has(id))
}

/**
 * Applies changes: the cursor, transactions, odd records, usage and event commit together.
 * @returns the odd records that were not known; undefined when another sync came first.
 */
export const applyChanges = async (
  { clock, outbox }: Pick<FastifyInstance, 'clock' | 'outbox'>,
  trx: Trx,
  from: Item,
  changes: Changes
): Promise<Pick<OddRecord, 'kind' | 'fault'>[] | undefined> => {
  const now = clock.now()
  const step = stepOf(from, changes, now)
  const item = await advanceCursor(trx, from, step)
  if (item === undefined) return undefined
  const waiting = await listQuarantined(trx, item.id, unknownAccount)
  const retried = { added: waiting, modified: [], removed: [] }
  const isWhole = from.syncCursor === null && step.cursor !== null
  const folded = foldPages(isWhole ? changes.pages : [retried, ...changes.pages])
  const sorted = sortStates(item, folded, await readAccountsByPlaidId(trx, item.id))
  if (isWhole && isFreshSync(from)) sorted.removedIds = await listMissing(trx, item, sorted)
  const { changed, removed, purchaseIds } = await writeChanges(trx, item, sorted.saved, sorted.removedIds)
  await countPurchases(trx, item, purchaseIds, now)
  const oddKeys = new Set(sorted.odd.map(({ key }) => key))
  if (isWhole) await releaseAllBut(trx, item.id, [...oddKeys])
  else if (folded.states.size > 0)
    await releaseTransactions(
      trx,
      item.id,
      [...folded.states.keys()].filter((key) => !oddKeys.has(key))
    )
  const kept = await keepAside(trx, item.id, sorted.odd, now)
  if (changed + removed === 0) return kept
  const data = { item_id: item.id, user_id: item.userId, changed, removed }
  await outbox.publish(trx, [
    { partnerId: item.partnerId, environment: item.environment, type: 'transactions.updated', data }
  ])
  return kept
}
