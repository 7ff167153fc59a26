import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { judgeForecasts, type KeptForecast } from '../../../modules/insights/accuracy.ts'
import type { PresentTransaction } from '../../../modules/linking/index.ts'
import { createPartner, send } from '../../credentials.ts'
import { startWorld } from '../linking/world.ts'

const row = (
  id: string,
  date: string,
  amountCents: number,
  more: Partial<PresentTransaction> = {}
): PresentTransaction => ({
  id,
  accountId: 'a',
  amountCents,
  isoCurrencyCode: 'USD',
  date,
  authorizedDate: null,
  pending: false,
  name: 'SHOP',
  merchantName: null,
  category: null,
  pendingTransactionId: null,
  ...more
})

const forecast = (more: Partial<KeptForecast> = {}): KeptForecast => ({
  id: 'fct_1',
  day: '2026-06-01',
  accountIds: ['a'],
  balanceCents: 100_000,
  meanDailyFlowCents: -1_000,
  countedIds: [],
  points: [{ daysAhead: 1, projectedCents: 95_000, lowCents: 90_000, highCents: 99_000 }],
  ...more
})

const actual = (kept: KeptForecast, rows: PresentTransaction[], today = '2026-06-20') =>
  judgeForecasts([kept], rows, today).outcomes.map(({ actualCents }) => actualCents)

test('an outcome is the balance of the forecast and the transactions that came after it', async () => {
  const rows = [row('x', '2026-06-02', 7_000), row('late', '2026-06-01', 500), row('later', '2026-06-03', 900)]
  assert.deepEqual(actual(forecast(), rows), [92_500])
  const { accuracy } = judgeForecasts([forecast()], rows, '2026-06-20')
  assert.deepEqual(accuracy[0], {
    daysAhead: 1,
    forecasts: 1,
    errorCents: 2_500,
    lastBalanceErrorCents: 7_500,
    meanDailyFlowErrorCents: 6_500,
    coverage: 1
  })
  assert.deepEqual([accuracy[1]?.forecasts, accuracy[1]?.errorCents, accuracy[1]?.coverage], [0, null, null])
})

test('transactions that the balance contained count once, also when they are booked later', async () => {
  const counted = forecast({ countedIds: ['pending', 'old'] })
  const booked = row('booked', '2026-06-02', 7_000, { pendingTransactionId: 'pending' })
  assert.deepEqual(actual(counted, [booked, row('old', '2026-06-01', 300)]), [100_000])
  assert.deepEqual(actual(counted, [row('pending', '2026-06-02', 7_000, { pending: true })]), [100_000])
  assert.deepEqual(actual(counted, [row('new', '2026-06-02', 7_000)]), [93_000])
})

test('a history that arrives later, another account and a day that is not over are no outcome', async () => {
  assert.deepEqual(
    actual(forecast(), [row('x', '2026-03-01', 7_000), row('y', '2026-06-02', 7_000, { accountId: 'b' })]),
    [100_000]
  )
  assert.deepEqual(actual(forecast(), [], '2026-06-02'), [])
  assert.deepEqual(actual(forecast(), [], '2026-06-03'), [100_000])
})

const world = await startWorld(t)
const key = world.partner.testKey
const dayMs = 24 * 3_600_000
const cashflow = (query = '') => send(world.url, 'GET', `/v1/insights/cashflow?user_id=usr_1${query}`, { key })
const accuracy = (as = key, query = '?user_id=usr_1') =>
  send(world.url, 'GET', `/v1/insights/accuracy${query}`, { key: as })

test('one forecast is kept per day, currency and horizon, with a stable id', async () => {
  await world.link('usr_1')
  await world.settle()
  const before = await accuracy()
  assert.deepEqual(
    [before.status, before.body.forecasts, before.body.first_date, before.body.outcomes],
    [200, 0, null, []]
  )
  const { forecast_id: id } = (await cashflow()).body
  assert.match(id, /^fct_/)
  assert.equal((await cashflow()).body.forecast_id, id)
  await world.database.db
    .updateTable('transaction_feeds')
    .set((eb) => ({ head: eb('head', '+', 1) }))
    .execute()
  assert.equal((await cashflow()).body.forecast_id, id)
  assert.notEqual((await cashflow('&horizon_days=7')).body.forecast_id, id)
  assert.equal((await accuracy()).body.forecasts, 2)
})

test('past forecasts are judged by what happened since, beside both naive ones', async () => {
  world.clock.advance(9 * dayMs)
  const { body } = await accuracy()
  assert.deepEqual([body.forecasts, body.first_date, body.iso_currency_code], [2, '2026-06-14', 'USD'])
  const [one, seven, fourteen] = body.accuracy
  assert.deepEqual([one.days_ahead, one.forecasts, seven.forecasts, fourteen.forecasts], [1, 2, 2, 0])
  for (const field of ['error', 'last_balance_error', 'mean_daily_flow_error'])
    assert.ok(seven[field] >= 0 && fourteen[field] === null, field)
  assert.ok(seven.coverage >= 0 && seven.coverage <= 1)
  assert.ok(body.outcomes.length === 4 && body.outcomes[0].date === '2026-06-21')
})

test('accuracy is private to its partner and requires insights:read', async () => {
  const other = await createPartner(world.database)
  assert.equal((await accuracy(other.testKey)).body.error, 'insufficient_history')
  assert.equal((await accuracy(await world.partner.token(['accounts:read']))).status, 403)
  assert.equal((await accuracy(key, '?user_id=usr_1&currency=EUR')).body.error, 'insufficient_history')
})

test('many forecasts of one day keep eight of it, the last included, and displace none of other days', async () => {
  const kept = async (of: 'before' | 'today') => {
    const rows = await world.database.db.selectFrom('served_forecasts').select(['id', 'day']).execute()
    return rows.filter(({ day }) => (day === '2026-06-14') === (of === 'before')).map(({ id }) => id)
  }
  const before = await kept('before')
  let last = ''
  for (let horizon = 12; horizon > 0; horizon--) last = (await cashflow(`&horizon_days=${horizon}`)).body.forecast_id
  assert.deepEqual(await kept('before'), before)
  const today = await kept('today')
  assert.deepEqual([today.length, today.includes(last)], [8, true])
})

test('at most 200 forecasts of an end-user are kept, and none for more than 400 days', async () => {
  const { db } = world.database
  const copy = await db
    .selectFrom('served_forecasts')
    .selectAll()
    .where('horizon_days', '=', 7)
    .executeTakeFirstOrThrow()
  for (let index = 0; index < 210; index++) {
    const day = new Date(Date.parse('2026-01-01') + (index * dayMs) / 2).toISOString().slice(0, 10)
    await db
      .insertInto('served_forecasts')
      .values({ ...copy, id: `fct_copy${index}`, day, horizon_days: 7, currency: index % 2 === 0 ? 'EUR' : 'CAD' })
      .execute()
  }
  await cashflow('&horizon_days=9')
  const count = async () => (await db.selectFrom('served_forecasts').select('id').execute()).length
  assert.equal(await count(), 200)
  world.clock.advance(450 * dayMs)
  await world.app.jobs.run('forget old forecasts')
  assert.equal(await count(), 0)
})
