import type { Trx } from '../../plugins/database/types.ts'
import { settleTransactions } from '../ingest/index.ts'
import type { Item } from './queries/items.ts'
import { readPurchases, type Purchase } from './queries/purchases.ts'

const batchSize = 1_000

/** The start of the day on which a purchase happened, but not in the future. */
const timeOf = ({ date }: Purchase, now: Date): string =>
  new Date(Math.min(date === null ? now.getTime() : Date.parse(date), now.getTime())).toISOString()

/** Usage counts the absolute amount, and only in US dollars. */
const amountOf = ({ amountCents, isoCurrencyCode }: Purchase): number | undefined =>
  amountCents !== null && isoCurrencyCode === 'USD' ? Math.abs(amountCents) : undefined

/** Makes usage count purchases as they stand now: each once, at its present amount, on the day it happened; not at all once it is gone. */
export const countPurchases = async (trx: Trx, owner: Item, ids: ReadonlySet<string>, now: Date): Promise<void> => {
  const all = [...ids].sort()
  for (let start = 0; start < all.length; start += batchSize) {
    const purchases = await readPurchases(trx, all.slice(start, start + batchSize))
    const states = purchases.map((purchase) => ({
      eventId: `transaction:${purchase.id}`,
      isCounted: purchase.amountCents !== null,
      amountCents: amountOf(purchase),
      category: purchase.category ?? undefined,
      occurredAt: timeOf(purchase, now)
    }))
    await settleTransactions(trx, owner, states, now)
  }
}
