import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { createPartner, send } from '../../credentials.ts'
import { readPlan } from '../../../modules/insights/planned-items.ts'
import { startWorld } from '../linking/world.ts'

// It is 2026-06-14 in New York.
const world = await startWorld(t)
const key = world.partner.testKey
await world.link('usr_1')
await world.settle()

const plan = (body: unknown, as = key) => send(world.url, 'POST', '/v1/insights/cashflow', { key: as, body })
const item = (amount: number, date: string, description = 'Bicycle') => ({ amount, date, description })
const kept = async (): Promise<number> => {
  const { count } = await world.database.db
    .selectFrom('served_forecasts')
    .select((eb) => eb.fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return Number(count)
}

test('planned items change the balances from their dates on, and nothing is stored', async () => {
  const { body: planned, status } = await plan({
    what_if: [item(450.5, '2026-06-20'), item(-100, '2026-06-25', 'Sold my old one')]
  })
  assert.deepEqual([status, planned.forecast_id, await kept()], [200, null, 0])
  const { body: forecast } = await send(world.url, 'GET', '/v1/insights/cashflow', { key })
  const cents = (amount: number) => Math.round(amount * 100)
  for (const [index, day] of forecast.daily.entries()) {
    const spent = day.date < '2026-06-20' ? 0 : day.date < '2026-06-25' ? 45_050 : 35_050
    for (const field of ['projected_balance', 'low', 'high'])
      assert.equal(cents(planned.daily[index][field]), cents(day[field]) - spent, `${day.date} ${field}`)
  }
  assert.ok(planned.assumptions.some((text: string) => text.includes('Bicycle')))
  assert.deepEqual(planned.recurring, forecast.recurring)
})

test('a planned item can cause a shortfall, with an alert on its day', async () => {
  const { body } = await plan({ what_if: [item(9_000_000, '2026-06-20')] })
  const alert = body.alerts.find(({ type }: { type: string }) => type === 'shortfall')
  assert.equal(alert.date, '2026-06-20')
  assert.equal(body.shortfalls[0].date, '2026-06-20')
  assert.ok(alert.assumptions.some((text: string) => text.includes('Bicycle')))
})

test('a date that is not in the forecast or an amount of nothing gives 422 with the field', async () => {
  for (const [body, path] of [
    [{ what_if: [item(5, '2026-06-14')] }, 'body/what_if/0/date'],
    [{ what_if: [item(5, '2020-01-01')] }, 'body/what_if/0/date'],
    [{ what_if: [item(5, '2026-06-15'), item(5, '2026-07-15')] }, 'body/what_if/1/date'],
    [{ horizon_days: 7, what_if: [item(5, '2026-06-22')] }, 'body/what_if/0/date'],
    [{ what_if: [item(0, '2026-06-20')] }, 'body/what_if/0/amount']
  ] as const) {
    const { status, body: problem } = await plan(body)
    assert.deepEqual([status, problem.error, problem.path], [422, 'invalid_planned_item', path])
  }
  assert.equal((await plan({ horizon_days: 7, what_if: [item(5, '2026-06-21')] })).status, 200)
})

test('planned amounts are exact in the decimals of their currency, and more decimals give 400', async () => {
  const daily = [{ date: '2026-06-20' }]
  const read = (amount: number, currency: string) =>
    readPlan([item(amount, '2026-06-20')], currency, daily)[0]?.amountCents
  assert.deepEqual(
    [read(1.234, 'KWD'), read(1.23, 'USD'), read(1500, 'JPY'), read(-4.35, 'EUR')],
    [1234, 123, 1500, -435]
  )
  for (const [amount, currency] of [
    [1.234, 'USD'],
    [1.5, 'JPY'],
    [0.001, 'EUR']
  ] as const)
    assert.throws(() => read(amount, currency), /validation_failed/)
})

test('a body that is no plan gives 400', async () => {
  for (const body of [
    {},
    { what_if: [] },
    { what_if: Array.from({ length: 51 }, () => item(5, '2026-06-20')) },
    { what_if: [item(5, '2026-02-30')] },
    { what_if: [item(0.001, '2026-06-20')] },
    { what_if: [item(5, '2026-06-20', '')] },
    { what_if: [{ amount: 5, date: '2026-06-20' }] }
  ])
    assert.equal((await plan(body)).status, 400, JSON.stringify(body))
})

test('plans are private to their partner, and require insights:read', async () => {
  const other = await createPartner(world.database)
  const body = { user_id: 'usr_1', what_if: [item(5, '2026-06-20')] }
  assert.equal((await plan(body, other.testKey)).body.error, 'insufficient_history')
  assert.equal((await plan(body, await world.partner.token(['accounts:read']))).status, 403)
  assert.equal((await plan(body, await world.partner.token(['insights:read']))).status, 200)
})
