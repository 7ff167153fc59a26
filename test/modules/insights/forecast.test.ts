import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import type { CashFlowAlert } from '../../../modules/insights/alerts.ts'
import type { BankTransaction } from '../../../modules/insights/bank-transaction.ts'
import { dateOfDay, dayOfDate } from '../../../modules/insights/civil-date.ts'
import { forecastCashFlow, InsufficientHistory, type CashFlowForecast } from '../../../modules/insights/forecast.ts'
import { judgeHistory, methodNames, newResult } from '../../../scripts/forecast-bench/accuracy.ts'
import { syntheticPerson } from '../../../scripts/forecast-bench/people.ts'
import { search } from '../../search.ts'
import { booked, eachMonth, every, series } from './made-up-history.ts'

const asof = '2024-10-20'

const anyTransaction: fc.Arbitrary<BankTransaction> = fc.record({
  transactionId: fc.uuid(),
  accountId: fc.constantFrom('checking', 'savings'),
  date: fc.integer({ min: 0, max: 200 }).map((back) => dateOfDay(dayOfDate(asof) - back)),
  amountCents: fc.integer({ min: -500_000, max: 500_000 }),
  description: fc.constantFrom('PAYROLL', 'RENT', 'MARKET #12', 'Überweisung', '', '7-ELEVEN 22', '***', '12/03'),
  pending: fc.boolean()
})

const assertSound = (forecast: CashFlowForecast, horizonDays: number): void => {
  assert.equal(forecast.horizonDays, horizonDays)
  assert.deepEqual(
    forecast.daily.map((day) => day.date),
    Array.from({ length: horizonDays }, (_, index) => dateOfDay(dayOfDate(asof) + 1 + index))
  )
  for (const { projectedBalanceCents, lowCents, highCents } of forecast.daily) {
    for (const cents of [projectedBalanceCents, lowCents, highCents])
      assert.ok(Number.isSafeInteger(cents), String(cents))
    assert.ok(lowCents <= projectedBalanceCents && projectedBalanceCents <= highCents)
  }
  const lowest = Math.min(...forecast.daily.map((day) => day.projectedBalanceCents))
  assert.equal(forecast.projectedMinBalanceCents, lowest)
  assert.equal(forecast.daily.find((day) => day.projectedBalanceCents === lowest)?.date, forecast.projectedMinDate)
  assert.ok(forecast.confidence >= 0 && forecast.confidence <= 1)
  assert.deepEqual(
    forecast.shortfalls,
    forecast.daily
      .filter((day) => day.projectedBalanceCents < 0)
      .map((day) => ({ date: day.date, amountCents: -day.projectedBalanceCents }))
  )
  for (const stream of forecast.recurring) {
    assert.ok(stream.nextDate > asof)
    assert.ok(
      Number.isSafeInteger(stream.amountCents) &&
        Number.isSafeInteger(stream.amountSpreadCents) &&
        stream.amountCents >= 0
    )
  }
  for (const { amountCents } of forecast.alerts) {
    assert.ok(amountCents === undefined || (Number.isSafeInteger(amountCents) && amountCents >= 0))
  }
}

test('a forecast has a row per day, whole cents, projections within their bands, and ignores input order', async () => {
  const anchor = booked('2024-09-01', 1_000, 'ANCHOR')
  fc.assert(
    fc.property(
      fc.array(anyTransaction, { maxLength: 80 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: -1_000_000, max: 1_000_000 }),
      (transactions, horizonDays, currentBalanceCents) => {
        const request = { transactions: [anchor, ...transactions], currentBalanceCents, asOf: asof, horizonDays }
        const before = JSON.stringify(request)
        const forecast = forecastCashFlow(request)
        assertSound(forecast, horizonDays)
        assert.equal(JSON.stringify(request), before, 'the input is unchanged')
        assert.deepEqual(forecastCashFlow({ ...request, transactions: request.transactions.toReversed() }), forecast)
      }
    ),
    search(60)
  )
})

test('forecasting the same history twice gives the same result', async () => {
  for (const seed of [201, 203]) {
    const { transactions, lastDay } = syntheticPerson(seed)
    const request = { transactions, currentBalanceCents: 123_456, asOf: dateOfDay(lastDay), horizonDays: 30 }
    assert.deepEqual(forecastCashFlow(request), forecastCashFlow(structuredClone(request)))
  }
})

test('less than 14 days of history gives an error with the number of days', async () => {
  const request = { currentBalanceCents: 0, asOf: asof, horizonDays: 30 }
  assert.throws(
    () => forecastCashFlow({ ...request, transactions: [] }),
    (error: unknown) => error instanceof InsufficientHistory && error.days === 0
  )
  assert.throws(
    () => forecastCashFlow({ ...request, transactions: [booked('2024-10-08', 500, 'SHOP')] }),
    (error: unknown) => error instanceof InsufficientHistory && error.days === 13
  )
  assertSound(forecastCashFlow({ ...request, transactions: [booked('2024-10-07', 500, 'SHOP')] }), 30)
  assert.throws(
    () => forecastCashFlow({ ...request, transactions: [booked('2024-10-21', 500, 'LATER')] }),
    InsufficientHistory
  )
})

test('invalid amounts, balances, dates and horizons throw', async () => {
  const good = {
    transactions: [booked('2024-09-01', 500, 'SHOP')],
    currentBalanceCents: 0,
    asOf: asof,
    horizonDays: 30
  }
  assert.throws(() => forecastCashFlow({ ...good, horizonDays: 0 }), RangeError)
  assert.throws(() => forecastCashFlow({ ...good, horizonDays: 1.5 }), RangeError)
  assert.throws(() => forecastCashFlow({ ...good, asOf: '2024-02-30' }), RangeError)
  assert.throws(() => forecastCashFlow({ ...good, currentBalanceCents: 0.5 }), TypeError)
  assert.throws(() => forecastCashFlow({ ...good, transactions: [booked('2024-09-01', 12.5, 'SHOP')] }), TypeError)
})

/** Pay on every second Friday, rent on the 1st, a market every week. */
const household = (): BankTransaction[] => [
  ...series(every(14, '2024-02-02', 19), -200_000, 'ACME PAYROLL'),
  ...series(eachMonth([1], '2024-02', 9), 180_000, 'RENT'),
  ...series(every(7, '2024-02-03', 38), 20_000, 'MARKET')
]

test('a fully regular history is projected to the cent', async () => {
  const { daily, confidence } = forecastCashFlow({
    transactions: household(),
    currentBalanceCents: 300_000,
    asOf: asof,
    horizonDays: 30
  })
  const balance = new Map(daily.map((day) => [day.date, day.projectedBalanceCents]))
  assert.equal(balance.get('2024-10-24'), 300_000)
  assert.equal(balance.get('2024-10-25'), 500_000, 'pay')
  assert.equal(balance.get('2024-10-26'), 480_000, 'market')
  assert.equal(balance.get('2024-11-01'), 300_000, 'rent')
  assert.equal(balance.get('2024-11-19'), 300_000 + 2 * 200_000 - 180_000 - 4 * 20_000)
  assert.ok(confidence > 0.7, String(confidence))
})

test('confidence is lower for random histories than for regular ones, and zero for a fortnight', async () => {
  const at = (transactions: BankTransaction[]): number =>
    forecastCashFlow({ transactions, currentBalanceCents: 300_000, asOf: asof, horizonDays: 30 }).confidence
  const gig = syntheticPerson(203)
  const chance = forecastCashFlow({
    transactions: gig.transactions,
    currentBalanceCents: 300_000,
    asOf: dateOfDay(gig.lastDay),
    horizonDays: 30
  }).confidence
  assert.ok(chance < at(household()))
  assert.equal(at(household().filter((transaction) => transaction.date > '2024-10-04')), 0)
})

test('an ended job is not projected', async () => {
  const transactions = household().filter(
    ({ description, date }) => description !== 'ACME PAYROLL' || date < '2024-09-01'
  )
  const { recurring, daily } = forecastCashFlow({
    transactions,
    currentBalanceCents: 300_000,
    asOf: asof,
    horizonDays: 30
  })
  assert.deepEqual(recurring.map((stream) => stream.description).sort(), ['MARKET', 'RENT'])
  assert.equal(daily.at(-1)?.projectedBalanceCents, 300_000 - 180_000 - 4 * 20_000)
})

test('the first pay of a new employer after the old one stopped is expected to recur', async () => {
  const transactions = [
    ...household().filter(({ description, date }) => description !== 'ACME PAYROLL' || date < '2024-09-20'),
    booked('2024-10-11', -220_000, 'GLOBEX SALARY')
  ]
  const { daily, recurring } = forecastCashFlow({
    transactions,
    currentBalanceCents: 300_000,
    asOf: asof,
    horizonDays: 7
  })
  const balances = daily.slice(3, 5).map((day) => day.projectedBalanceCents)
  assert.equal((balances[1] ?? 0) - (balances[0] ?? 0), 220_000, 'on 2024-10-25')
  assert.ok(!recurring.some((stream) => stream.direction === 'inflow'), 'one payment does not prove a stream')
})

test("transfers between the person's own accounts change nothing in the forecast", async () => {
  const transfers = eachMonth([10], '2024-02', 9).flatMap((day) => [
    booked(dateOfDay(day), 77_700, 'TO SAVINGS'),
    booked(dateOfDay(day + 2), -77_700, 'FROM CHECKING', 'savings')
  ])
  const request = { transactions: household(), currentBalanceCents: 300_000, asOf: asof, horizonDays: 30 }
  const { assumptions, ...forecast } = forecastCashFlow({
    ...request,
    transactions: [...request.transactions, ...transfers]
  })
  assert.deepEqual({ ...forecast, assumptions: [] }, forecastCashFlow(request))
  assert.match(assumptions.join(), /own accounts/)
})

test('a pending transaction counts on its date like a booked one', async () => {
  const request = { currentBalanceCents: 300_000, asOf: asof, horizonDays: 30 }
  const pending = household().map((transaction) => ({ ...transaction, pending: true }))
  assert.deepEqual(
    forecastCashFlow({ ...request, transactions: pending }).daily,
    forecastCashFlow({ ...request, transactions: household() }).daily
  )
})

test('alerts report shortfalls, low balances and large bills with their dates', async () => {
  const short = forecastCashFlow({
    transactions: household(),
    currentBalanceCents: -50_000,
    asOf: asof,
    horizonDays: 30
  })
  const withoutReasons = ({ evidence, assumptions, ...alert }: CashFlowAlert) => {
    assert.ok(evidence.length > 0 && assumptions.length > 0, 'every alert carries its evidence and its assumptions')
    return alert
  }
  const alerts = short.alerts.map(withoutReasons)
  assert.deepEqual(alerts[0], { type: 'shortfall', date: '2024-10-21', amountCents: 50_000 })
  assert.deepEqual(
    short.shortfalls.slice(0, 4).map((shortfall) => shortfall.date),
    ['2024-10-21', '2024-10-22', '2024-10-23', '2024-10-24']
  )
  assert.deepEqual(
    alerts.find((alert) => alert.type === 'large_upcoming_bill'),
    { type: 'large_upcoming_bill', date: '2024-11-01', amountCents: 180_000, description: 'RENT' }
  )
  const low = forecastCashFlow({ transactions: household(), currentBalanceCents: 50_000, asOf: asof, horizonDays: 30 })
  assert.equal(low.alerts[0]?.type, 'low_balance')
  assert.equal(low.alerts[0]?.date, '2024-10-21')
  const rich = forecastCashFlow({
    transactions: household(),
    currentBalanceCents: 9_000_000,
    asOf: asof,
    horizonDays: 30
  })
  assert.deepEqual([rich.alerts, rich.shortfalls], [[], []])
})

test('on unseen histories the band contains 70 to 90 % of outcomes, and every other method is worse', async () => {
  const result = newResult()
  for (let seed = 2001; seed <= 2021; seed++) judgeHistory(syntheticPerson(seed), 3, result)
  const coverage = result.inside / result.judged
  assert.ok(coverage >= 0.7 && coverage <= 0.9, `coverage ${coverage}`)
  const total = (method: string): number =>
    result.outcomes.reduce((sum, { errorsCents }) => sum + (errorsCents[methodNames.indexOf(method)] ?? 0), 0)
  for (const other of methodNames.slice(1)) assert.ok(total('ours') < total(other), other)
})
