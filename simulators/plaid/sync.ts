import type { Selectable } from 'kysely'
import type { Db } from '../../plugins/database/types.ts'
import { accountsOf, sentAccountsOf, templatesOf } from './accounts.ts'
import type { WireRecord } from './behaviours/behaviour.ts'
import { bankCurrencyOf, behavioursOf, momentOf } from './customers.ts'
import { decodeCursor, encodeCursor, startCursor } from './cursor.ts'
import type { Cursor } from './cursor.ts'
import { accountIdOf } from './ids.ts'
import { invalidAccountId, invalidField, mutationDuringPagination } from './errors.ts'
import type { Version } from './history/life.ts'
import { renderTransaction, transactionIdOf, type RenderContext, type WireTransaction } from './history/render.ts'
import { Timeline, historyDays } from './history/timeline.ts'
import type { Position } from './history/timeline.ts'
import { findBatchesAfter, setDaysRequested } from './queries.ts'
import { createSeededRandom } from './random.ts'
import { Recent } from './recent.ts'
import type { ItemsTable } from './tables.ts'

/** The request of /transactions/sync. */
export interface SyncRequest {
  cursor?: string
  count?: number
  options?: {
    account_id?: string
    days_requested?: number
    include_original_description?: boolean | null
  }
}

type Row = { list: 'added' | 'modified' | 'removed'; version: Version }

const rememberedTimelines = 64
const rememberedLoops = 32

/** Reads items' feeds. Its caches hold only what every instance computes alike. */
export class TransactionFeed {
  readonly #db: Db
  readonly #timelines = new Recent<Timeline>(rememberedTimelines)
  // The first page of a sync computes the rows of all its pages.
  readonly #loops = new Recent<Row[]>(rememberedLoops)

  constructor(db: Db) {
    this.#db = db
  }

  async #timelineOf(item: Selectable<ItemsTable>): Promise<Timeline> {
    const days = item.days_requested ?? historyDays
    const key = `${item.item_id}|${days}`
    let timeline = this.#timelines.get(key)
    if (timeline === undefined) {
      const { seed, linkedAt } = momentOf(item, item.created_at)
      timeline = new Timeline(seed, linkedAt, days, behavioursOf(item))
      this.#timelines.set(key, timeline)
    }
    if (timeline.batchCount < item.batch_count) {
      for (const batch of await findBatchesAfter(this.#db, item.item_id, timeline.batchCount)) {
        timeline.addBatch(batch.ordinal, batch.fired_at.getTime())
      }
    }
    return timeline
  }

  /** The number of transactions in the last 30 days and before, for the first webhooks. */
  async count(item: Selectable<ItemsTable>, now: Date): Promise<{ initial: number; historical: number }> {
    const timeline = await this.#timelineOf(item)
    const { added } = timeline.difference(startCursor.from, timeline.position(now.getTime()))
    const monthAgo = now.getTime() - 30 * 86_400_000
    const initial = added.filter((version) => version.life.authorizedAt >= monthAgo).length
    return { initial, historical: added.length - initial }
  }

  /**
   * One page of the changes since the cursor.
   *
   * @throws PlaidApiError TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION when the item changed since the
   *   first page; INVALID_FIELD for a cursor that is not this item's
   */
  async page(item: Selectable<ItemsTable>, request: SyncRequest, now: Date) {
    const accountId = request.options?.account_id ?? null
    if (accountId !== null && !accountsOf(item, now).some((account) => account.account_id === accountId))
      throw invalidAccountId()
    if (item.days_requested === null && request.options?.days_requested !== undefined) {
      item = await setDaysRequested(this.#db, item.item_id, request.options.days_requested)
    }
    const moment = momentOf(item, now)
    const updateStatus =
      behavioursOf(item)
        .map((behaviour) => behaviour.updateStatus?.(moment))
        .find((status) => status !== undefined) ?? 'HISTORICAL_UPDATE_COMPLETE'
    const accounts = sentAccountsOf(item, accountsOf(item, now), now)
    if (updateStatus === 'NOT_READY') {
      const nothing = { added: [], modified: [], removed: [], next_cursor: '', has_more: false }
      return { transactions_update_status: updateStatus, accounts: [], ...nothing }
    }
    const timeline = await this.#timelineOf(item)
    const cursor = this.#cursorOf(item, request.cursor ?? '', accountId, timeline, now)
    // Never before the cursor: an instance with a slow clock must not go back in time.
    const present = timeline.position(now.getTime(), cursor.target ?? cursor.from)
    const target = cursor.target ?? present
    if (target.at !== present.at || target.batches !== present.batches) throw mutationDuringPagination()

    const rows = this.#rowsOf(item, timeline, cursor, target)
    const end = Math.min(cursor.offset + (request.count ?? 100), rows.length)
    const hasMore = end < rows.length
    const next: Cursor = hasMore
      ? { from: cursor.from, target, offset: end, accountId }
      : { from: target, target: null, offset: 0, accountId }
    return {
      transactions_update_status: updateStatus,
      accounts,
      ...this.#render(item, timeline, rows.slice(cursor.offset, end), request, now),
      next_cursor: encodeCursor(item.item_id, next),
      has_more: hasMore
    }
  }

  /** What the bank has of an item at a moment: the sound records of its present transactions. For tests. */
  async truthOf(item: Selectable<ItemsTable>, now: Date): Promise<WireTransaction[]> {
    const timeline = await this.#timelineOf(item)
    const context = this.#contextOf(item, timeline, {}, now)
    return timeline
      .difference(startCursor.from, timeline.position(now.getTime()))
      .added.map((version) => send(item, version, renderTransaction(version, context)))
      .flatMap(({ record, isSound }) => (isSound ? [record as WireTransaction] : []))
  }

  #cursorOf(
    item: Selectable<ItemsTable>,
    text: string,
    accountId: string | null,
    timeline: Timeline,
    now: Date
  ): Cursor {
    if (text === '') return { ...startCursor, accountId }
    // Plaid's cursor for callers that skip the history.
    if (text === 'now') return { ...startCursor, from: timeline.position(now.getTime()), accountId }
    const cursor = decodeCursor(item.item_id, text)
    const moment = momentOf(item, now)
    if (
      cursor.target === null &&
      behavioursOf(item).some((behaviour) => behaviour.refusesCursor?.(cursor.from.at, moment))
    )
      throw invalidField('cursor not associated with access_token')
    if (cursor.accountId !== accountId) throw invalidField('cursor was issued for another account_id')
    return cursor
  }

  #rowsOf(item: Selectable<ItemsTable>, timeline: Timeline, cursor: Cursor, target: Position): Row[] {
    const key = encodeCursor(item.item_id, { ...cursor, target, offset: 0 })
    const known = this.#loops.get(key)
    if (known !== undefined) return known
    const difference = timeline.difference(cursor.from, target)
    const rows = (['added', 'modified', 'removed'] as const)
      .flatMap((list) => difference[list].map((version) => ({ list, version })))
      .filter(
        ({ version }) =>
          item.migrated_mask === null &&
          (cursor.accountId === null || accountIdOf(item.item_id, version.life.mask) === cursor.accountId)
      )
    this.#loops.set(key, rows)
    return rows
  }

  #contextOf(item: Selectable<ItemsTable>, timeline: Timeline, request: SyncRequest, now: Date): RenderContext {
    const currencies = new Map(templatesOf(item, now).map(({ key, currency }) => [key, currency]))
    const usual = bankCurrencyOf(item)
    return {
      itemId: item.item_id,
      town: timeline.profile.town,
      currencyOf: (key) => currencies.get(key) ?? usual,
      includeOriginalDescription: request.options?.include_original_description === true
    }
  }

  #render(item: Selectable<ItemsTable>, timeline: Timeline, rows: Row[], request: SyncRequest, now: Date) {
    const context = this.#contextOf(item, timeline, request, now)
    const shown = (list: Row['list']) => rows.filter((row) => row.list === list)
    const sent = (list: Row['list']) =>
      shown(list).map(({ version }) => send(item, version, renderTransaction(version, context)).record)
    const isFirst = (request.cursor ?? '') === ''
    const strays = isFirst ? behavioursOf(item).flatMap(({ strays }) => strays?.(momentOf(item, now)) ?? []) : []
    return {
      added: [...sent('added'), ...strays],
      modified: sent('modified'),
      removed: shown('removed').map(({ version }) => ({
        account_id: accountIdOf(item.item_id, version.life.mask),
        transaction_id: transactionIdOf(item.item_id, version)
      }))
    }
  }
}

/** A transaction as the bank's behaviours send it. All versions of it have the same fate. */
const send = (item: Selectable<ItemsTable>, { life, stage }: Version, transaction: WireTransaction): WireRecord => {
  const { seed } = momentOf(item, item.created_at)
  let sent: WireRecord = { record: transaction, isSound: true }
  for (const behaviour of behavioursOf(item)) {
    if (!sent.isSound || behaviour.transaction === undefined) continue
    const random = createSeededRandom(`${seed}|${behaviour.name}|${life.key}|${stage}`)
    sent = behaviour.transaction(sent.record as WireTransaction, random)
  }
  return sent
}
