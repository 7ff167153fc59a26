import assert from 'node:assert/strict'
import { test } from 'tap'
import { forecastCashFlow } from '../../../modules/insights/forecast.ts'
import { detectRecurringStreams } from '../../../modules/insights/recurring.ts'
import { booked, eachMonth, every, series } from './made-up-history.ts'

const bill = () => series(eachMonth([20], '2025-08', 10), 80_000, 'LAKESIDE COOP')
const next = (asOf: string, transactions = bill()) => detectRecurringStreams(transactions, asOf)[0]

test('a bill that is overdue stays expected within days, with its lateness', async () => {
  // The tenth payment was on 2026-05-20.
  for (const [asOf, nextDate, lateDays] of [
    ['2026-06-19', '2026-06-20', 0],
    ['2026-06-20', '2026-06-21', 0],
    ['2026-06-22', '2026-06-23', 2],
    ['2026-06-30', '2026-07-01', 10],
    ['2026-07-15', '2026-07-16', 25]
  ] as const) {
    const stream = next(asOf)
    assert.deepEqual([stream?.nextDate, stream?.lateDays], [nextDate, lateDays], asOf)
    if (lateDays > 0) assert.match(stream?.assumptions.join() ?? '', /due on 2026-06-20 is \d+ days late/)
  }
})

test('an overdue bill ends with evidence: the next one is missing, too, or it was paid late', async () => {
  assert.equal(next('2026-07-23'), undefined)
  assert.equal(next('2026-09-01'), undefined)
  const paid = next('2026-06-29', [...bill(), booked('2026-06-28', 80_000, 'LAKESIDE COOP')])
  assert.deepEqual([paid?.nextDate, paid?.lateDays], ['2026-07-20', 0])
})

test('an overdue bill is in the forecast once, and the following one on its day', async () => {
  const { daily, recurring } = forecastCashFlow({
    transactions: bill(),
    currentBalanceCents: 200_000,
    asOf: '2026-06-22',
    horizonDays: 30
  })
  const balance = new Map(daily.map(({ date, projectedBalanceCents }) => [date, projectedBalanceCents]))
  assert.deepEqual(
    [balance.get('2026-06-23'), balance.get('2026-07-19'), balance.get('2026-07-20')],
    [120_000, 120_000, 40_000]
  )
  assert.equal(recurring[0]?.lateDays, 2)
})

test('a quarterly bill stays expected for weeks, and is given up after six', async () => {
  const quarterly = series(
    [
      ...eachMonth([15], '2025-01', 1),
      ...eachMonth([15], '2025-04', 1),
      ...eachMonth([15], '2025-07', 1),
      ...eachMonth([15], '2025-10', 1)
    ],
    30_000,
    'CITY WATER'
  )
  assert.equal(next('2026-02-10', quarterly)?.lateDays, 26)
  assert.equal(next('2026-03-15', quarterly), undefined)
})

test('overdue income does not hide a shortfall: it is not expected after its usual delay', async () => {
  const pay = series(every(14, '2026-01-02', 12), -200_000, 'ACME PAYROLL')
  assert.equal(next('2026-06-18', pay)?.nextDate, '2026-06-19')
  assert.equal(next('2026-06-20', pay)?.nextDate, '2026-06-21')
  assert.equal(next('2026-06-23', pay)?.nextDate, '2026-07-03')
  assert.equal(next('2026-07-01', pay), undefined)
})

test('a purchase of the size of an unpaid bill does not replace it', async () => {
  const transactions = [...bill(), booked('2026-06-21', 79_000, 'IKEA 221')]
  const { daily } = forecastCashFlow({ transactions, currentBalanceCents: 200_000, asOf: '2026-06-22', horizonDays: 3 })
  assert.ok((daily[0]?.projectedBalanceCents ?? 0) < 125_000)
})
