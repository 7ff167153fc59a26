import assert from 'node:assert/strict'
import type { Worker } from 'node:worker_threads'
import { build } from 'esbuild'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { root } from '../../machines/scripts.ts'
import { send } from '../../credentials.ts'
import { startWorld } from '../linking/world.ts'

const workers: Worker[] = []
process.on('worker', (worker) => workers.push(worker))
const world = await startWorld(t)
const cashflow = (query = '', key = world.partner.testKey) =>
  send(world.url, 'GET', `/v1/insights/cashflow?user_id=usr_1${query}`, { key })

test('no thread runs before the first forecast, which runs in a thread', async () => {
  await world.link('usr_1')
  await world.settle()
  assert.equal(workers.length, 0)
  assert.equal((await cashflow()).status, 200)
  assert(workers.length > 0)
})

test('a forecast is computed once a day, unless what it is made of changes', async () => {
  const first = await cashflow()
  const change = (cents: number) =>
    world.database.db
      .updateTable('transactions')
      .set((eb) => ({ amount_cents: eb('amount_cents', '+', cents) }))
      .where('removed', '=', false)
      .execute()
  // Bypasses the feed, so that a recomputed forecast differs.
  await change(7_777)
  assert.equal((await cashflow()).text, first.text)
  assert.notEqual((await cashflow('&horizon_days=31')).text, first.text)
  const recomputed = await cashflow('&timezone=UTC')
  assert.notDeepEqual(recomputed.body.daily, first.body.daily)
  assert.deepEqual((await cashflow('&timezone=America/New_York&currency=USD')).text, first.text)
  await world.database.db
    .updateTable('transaction_feeds')
    .set((eb) => ({ head: eb('head', '+', 1) }))
    .execute()
  const later = await cashflow()
  assert.notEqual(later.text, first.text)
  world.clock.advance(24 * 3_600_000)
  assert.notEqual((await cashflow()).body.daily[0].date, later.body.daily[0].date)
})

/** Adds so many transactions that computing a forecast takes longer than requesting it. */
const lengthenHistory = async (): Promise<void> => {
  await sql`insert into transactions (id, partner_id, environment, user_id, position, latest_date, item_id, account_id, amount_cents, date, pending, name)
    select 'txn_' || n, partner_id, environment, user_id, 100000 + n, date, item_id, account_id, 100 + n * 7919 % 9000, date, false, 'Shop ' || n % 300
    from (select * from transactions where not removed limit 1) as one cross join generate_series(1, 8000) as n`.execute(
    world.database.db
  )
}

test('too many forecasts of one partner get 429 with Retry-After, and later ones are served', async () => {
  await lengthenHistory()
  const responses = await Promise.all(
    Array.from({ length: 60 }, (_, index) => cashflow(`&horizon_days=${300 + index}`))
  )
  const statuses = new Set(responses.map(({ status }) => status))
  assert.deepEqual([...statuses].sort(), [200, 429])
  const refused = responses.find(({ status }) => status === 429)
  assert.deepEqual([refused?.body.error, refused?.headers.get('retry-after')], ['too_many_forecasts', '1'])
  assert(responses.filter(({ status }) => status === 200).length >= 18)
  assert.equal((await cashflow()).status, 200)
})

test('concurrent requests for one forecast share a computation', async () => {
  const responses = await Promise.all(Array.from({ length: 40 }, () => cashflow('&horizon_days=200')))
  assert.deepEqual(new Set(responses.map(({ status }) => status)), new Set([200]))
})

test('a thread loads only the computation, and nothing else of the server', async () => {
  const { metafile } = await build({
    entryPoints: ['modules/insights/forecast-thread.ts'],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: 'node',
    format: 'esm'
  })
  const loaded = Object.keys(metafile.inputs)
  assert(loaded.includes('modules/insights/forecast.ts'))
  assert.deepEqual(
    loaded.filter((path) => !path.startsWith('modules/insights/')),
    ['plugins/bank-holidays.ts']
  )
})
