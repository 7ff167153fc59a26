import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { behaviours, openBank } from '../../../simulators/plaid/index.ts'
import { FeedClient } from './feed-client.ts'
import { startWorld, type World } from './world.ts'

const days = (count: number) => count * 86_400_000

interface Usage {
  totals: { transactions: number; volume_cents: number }
  intervals: { start: string; transactions: number; volume_cents: number }[]
  by_category: { category: string | null; transactions: number; volume_cents: number }[]
}

const readUsage = async (world: World): Promise<Usage> => {
  const to = world.clock.now().toISOString().slice(0, 10)
  return (await world.get(`/v1/usage?from=2026-01-01&to=${to}`)).body as Usage
}

/** The expected usage: the purchases of the feed as they stand, each on the day on which it happened. */
const recount = (rows: Iterable<Record<string, unknown>>, firstDates: Map<string, string>) => {
  const purchases = new Map<string, Record<string, unknown>>()
  for (const row of [...rows].sort((a, b) => Number(b.pending) - Number(a.pending)))
    purchases.set(String(row.pending_transaction_id ?? row.transaction_id), row)
  const sums = { transactions: 0, volume_cents: 0 }
  const byDay = new Map<string, typeof sums>()
  const byCategory = new Map<unknown, typeof sums>()
  for (const [id, row] of purchases) {
    const cents = Math.round(Math.abs(Number(row.amount)) * 100)
    const date = firstDates.get(id) ?? ''
    for (const [map, key] of [
      [byDay, date],
      [byCategory, row.personal_finance_category_primary]
    ] as [Map<unknown, typeof sums>, unknown][]) {
      const known = map.get(key) ?? { transactions: 0, volume_cents: 0 }
      map.set(key, { transactions: known.transactions + 1, volume_cents: known.volume_cents + cents })
    }
    sums.transactions += 1
    sums.volume_cents += cents
  }
  return { sums, byDay, byCategory }
}

test('usage counts each purchase at its final amount, on the day it happened, and no lost hold', async (t) => {
  const world = await startWorld(t, { historyDays: 60 })
  await world.link('usr_1', openBank('usage', [behaviours.tips, behaviours.lostHolds]))
  const client = new FeedClient(world, 'usr_1')
  const firstDates = new Map<string, string>()
  for (let day = 0; day < 8; day++) {
    await world.settle()
    await client.drain()
    for (const row of client.view.values()) {
      const id = String(row.pending_transaction_id ?? row.transaction_id)
      if (!firstDates.has(id)) firstDates.set(id, String(row.authorized_date ?? row.date))
    }
    world.clock.advance(days(1))
  }
  await client.drain()
  for (const row of client.view.values()) {
    const id = String(row.pending_transaction_id ?? row.transaction_id)
    if (!firstDates.has(id)) firstDates.set(id, String(row.authorized_date ?? row.date))
  }
  const expected = recount(client.view.values(), firstDates)
  const usage = await readUsage(world)
  const { transactions, volume_cents } = usage.totals
  assert.deepEqual({ transactions, volume_cents }, expected.sums)
  for (const interval of usage.intervals) {
    const sums = expected.byDay.get(interval.start.slice(0, 10)) ?? { transactions: 0, volume_cents: 0 }
    assert.deepEqual(
      [interval.start, interval.transactions, interval.volume_cents],
      [interval.start, ...Object.values(sums)]
    )
  }
  for (const { category, ...sums } of usage.by_category)
    assert.deepEqual(sums, expected.byCategory.get(category) ?? { transactions: 0, volume_cents: 0 })
  const corrections = await sql<{ corrections: number; removals: number }>`
    select count(*)::integer as corrections, (count(*) filter (where transactions < 0))::integer as removals
    from usage_events where event_type = 'correction'`.execute(world.database.db)
  assert.ok((corrections.rows[0]?.corrections ?? 0) > 2)
  assert.ok((corrections.rows[0]?.removals ?? 0) > 0)
})

test('a pending transaction dated in the future is counted now, not on a day that has not come', async (t) => {
  const world = await startWorld(t, { historyDays: 30 })
  await world.link('usr_1', openBank('future', [behaviours.futurePending]))
  await world.settle()
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  const today = world.clock.now().toISOString().slice(0, 10)
  assert.ok([...client.view.values()].some((row) => row.pending === true && String(row.date) > today))
  const { totals } = await readUsage(world)
  assert.equal(totals.transactions, client.view.size)
})
