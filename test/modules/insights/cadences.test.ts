import assert from 'node:assert/strict'
import { test } from 'tap'
import type { BankTransaction } from '../../../modules/insights/bank-transaction.ts'
import { dateOfDay, dayOfDate } from '../../../modules/insights/civil-date.ts'
import { detectRecurringStreams } from '../../../modules/insights/recurring.ts'
import { rollDay } from '../../../modules/insights/schedule.ts'
import { booked, eachMonth, every, series } from './made-up-history.ts'

const onDates = (dates: string[], amountCents: number, description: string): BankTransaction[] =>
  dates.map((date) => booked(date, amountCents, description))

const found = (transactions: BankTransaction[], asOf: string) =>
  detectRecurringStreams(transactions, asOf).map(({ cadence, interval, nextDate, amountCents }) => [
    cadence,
    interval,
    nextDate,
    amountCents
  ])

test('payments every n weeks are found for any n up to a quarter of a year', async () => {
  for (const weeks of [1, 2, 3, 4, 5, 6, 8, 10, 12]) {
    const days = every(7 * weeks, '2024-01-10', 8)
    const [stream] = detectRecurringStreams(series(days, 9_000, 'CLEANER'), dateOfDay((days.at(-1) ?? 0) + 1))
    assert.deepEqual([stream?.interval, stream?.nextDate], [weeks, dateOfDay((days.at(-1) ?? 0) + 7 * weeks)])
  }
})

test('pay on the last Friday, the third Wednesday or the first Monday is expected on that weekday', async () => {
  const lastFridays = ['2026-01-30', '2026-02-27', '2026-03-27', '2026-04-24', '2026-05-29', '2026-06-26']
  assert.deepEqual(found(onDates(lastFridays, -300_000, 'NORTHWIND PAYROLL'), '2026-07-01'), [
    ['monthly', 1, '2026-07-31', 300_000]
  ])
  const thirdWednesdays = ['2026-01-21', '2026-02-18', '2026-03-18', '2026-04-15', '2026-05-20', '2026-06-17']
  assert.deepEqual(found(onDates(thirdWednesdays, -180_000, 'SSA TREAS 310 XXSOC SEC'), '2026-07-01'), [
    ['monthly', 1, '2026-07-15', 180_000]
  ])
  const firstMondays = ['2026-02-02', '2026-03-02', '2026-04-06', '2026-05-04', '2026-06-01']
  assert.deepEqual(found(onDates(firstMondays, 4_000, 'GARDENER'), '2026-06-20'), [['monthly', 1, '2026-07-06', 4_000]])
})

test('the last Friday before a bank holiday moves with it', async () => {
  const fridays = eachMonth([31], '2025-01', 11).map((end) => {
    let day = end
    while (new Date(day * 86_400_000).getUTCDay() !== 4) day--
    return rollDay(day, -1)
  })
  // 2025-11-27, the last Thursday, is Thanksgiving.
  assert.equal(dateOfDay(fridays.at(-1) ?? 0), '2025-11-26')
  const [stream] = detectRecurringStreams(series(fridays.slice(0, 10), -90_000, 'MUSEUM PAYROLL'), '2025-11-10')
  assert.notEqual(stream?.nextDate, undefined)
  assert.ok(['2025-11-26', '2025-11-27'].includes(stream?.nextDate ?? ''))
})

test('a mortgage on the 26th moves past weekends and Thanksgiving', async () => {
  const mortgage = series(
    eachMonth([26], '2026-01', 10).map((day) => rollDay(day, 1)),
    210_000,
    'ROCKET MORTGAGE LOAN'
  )
  assert.deepEqual(found(mortgage, '2026-11-10'), [['monthly', 1, '2026-11-27', 210_000]])
  assert.deepEqual(found([...mortgage, booked('2026-11-27', 210_000, 'ROCKET MORTGAGE LOAN')], '2026-12-01'), [
    ['monthly', 1, '2026-12-28', 210_000]
  ])
})

test('a premium at the ends of February, May, August and November is due every three months', async () => {
  const dates = ['2025-02-28', '2025-05-31', '2025-08-31', '2025-11-30']
  assert.deepEqual(found(onDates(dates, 61_200, 'STATE FARM PREMIUM'), '2025-12-10'), [
    ['every_n_months', 3, '2026-02-28', 61_200]
  ])
  const onBankDays = dates.map((date) => dateOfDay(rollDay(dayOfDate(date), 1)))
  assert.deepEqual(found(onDates(onBankDays, 61_200, 'STATE FARM PREMIUM'), '2025-12-10'), [
    ['every_n_months', 3, '2026-03-02', 61_200]
  ])
  for (const description of ['GEMA BEITRAG', 'COMUNIDAD DE VECINOS']) {
    assert.deepEqual(found(onDates(dates, 61_200, description), '2026-02-20'), [
      ['every_n_months', 3, '2026-02-28', 61_200]
    ])
  }
})

test('two yearly policies at one insurer are two streams, of different and of equal amounts', async () => {
  for (const [home, car] of [
    [48_000, 113_000],
    [60_000, 60_000],
    [60_000, 62_000]
  ] as const) {
    const policies = [
      ...onDates(['2024-03-10', '2025-03-10'], home, 'ALLSTATE INSURANCE CO'),
      ...onDates(['2024-09-22', '2025-09-22'], car, 'ALLSTATE INSURANCE CO')
    ]
    assert.deepEqual(found(policies, '2025-12-01'), [
      ['yearly', 12, '2026-03-10', home],
      ['yearly', 12, '2026-09-22', car]
    ])
  }
})

test('a monthly and a yearly payment to one insurer are two streams', async () => {
  const payments = [
    ...series(eachMonth([12], '2024-12', 13), 8_900, 'GEICO *AUTO'),
    ...onDates(['2024-12-28', '2025-12-28'], 41_000, 'GEICO *AUTO')
  ]
  assert.deepEqual(found(payments, '2026-01-05'), [
    ['monthly', 1, '2026-01-12', 8_900],
    ['yearly', 12, '2026-12-28', 41_000]
  ])
})

test('a bill that changes with the season is one stream, not one for each of its prices', async () => {
  const payments = [
    '2023-08-10:1189 2023-09-11:1780 2023-10-10:2680 2023-11-13:3811 2023-12-11:4237 2024-01-10:4630',
    '2024-02-12:4356 2024-03-11:3856 2024-04-15:2649 2024-05-10:1769 2024-06-12:1117 2024-07-10:792',
    '2024-08-12:1084 2024-09-10:1946 2024-10-10:2814 2024-11-14:3537 2024-12-10:4239 2025-01-14:4884',
    '2025-02-10:4391 2025-03-10:3970 2025-04-10:2852 2025-05-12:1858 2025-06-16:1036 2025-07-14:819'
  ].flatMap((line) => line.split(' '))
  const bill = payments.map((payment) => {
    const [date = '', amountCents] = payment.split(':')
    return booked(date, Number(amountCents), 'METRO NATURAL GAS')
  })
  assert.deepEqual(
    detectRecurringStreams(bill, '2025-07-20').map(({ cadence, nextDate, lateDays }) => [cadence, nextDate, lateDays]),
    [['monthly', '2025-08-11', 0]]
  )
})

test('two observations are no rhythm, unless they are a known bill', async () => {
  const twice = (description: string, amountCents: number, more: Partial<BankTransaction> = {}) =>
    onDates(['2026-04-10', '2026-05-10'], amountCents, description).map((transaction) => ({ ...transaction, ...more }))
  assert.deepEqual(found(twice('ZELLE FROM MARIA', -50_000, { category: 'TRANSFER_IN' }), '2026-05-20'), [])
  assert.deepEqual(found(twice('ZELLE FROM MARIA', -50_000), '2026-05-20'), [])
  assert.deepEqual(found(twice('CORNER SHOP', 50_000), '2026-05-20'), [])
  assert.deepEqual(found(onDates(['2024-05-10', '2025-05-10'], 30_000, 'DELTA AIR'), '2026-05-01'), [])
  const [rent] = detectRecurringStreams(twice('MARIA LOPEZ', 50_000, { category: 'RENT_AND_UTILITIES' }), '2026-05-20')
  assert.equal(rent?.nextDate, '2026-06-10')
  assert.match(rent.assumptions.join(), /seen only twice/)
})

test('a pension of three payments and a bill every half year keep their day', async () => {
  assert.deepEqual(found(onDates(['2025-01-15', '2025-07-15', '2026-01-15'], 33_000, 'CITY WATER'), '2026-02-01'), [
    ['every_n_months', 6, '2026-07-15', 33_000]
  ])
  assert.deepEqual(
    found(onDates(['2026-01-30', '2026-02-27', '2026-03-31'], -140_000, 'DEUTSCHE RENTE'), '2026-04-02'),
    [['monthly', 1, '2026-04-30', 140_000]]
  )
})

test('every stream names its payments as evidence, and what it assumes', async () => {
  const rent = series(eachMonth([1], '2025-01', 12), 120_000, 'CITY RENTALS')
  const [stream] = detectRecurringStreams(rent, '2025-12-10')
  assert.deepEqual(
    stream?.transactionIds,
    rent.map(({ transactionId }) => transactionId)
  )
  assert.ok(stream.assumptions.length > 0)
})
