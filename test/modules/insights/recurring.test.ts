import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { dateOfDay, dayOfDate } from '../../../modules/insights/civil-date.ts'
import { detectRecurringStreams } from '../../../modules/insights/recurring.ts'
import { search } from '../../search.ts'
import { booked, eachMonth, every, onBankDays, series } from './made-up-history.ts'

const jitter = (days: number, count: number): fc.Arbitrary<number[]> =>
  fc.array(fc.integer({ min: -days, max: days }), { minLength: count, maxLength: count })
const scatter = (share: number, count: number): fc.Arbitrary<number[]> =>
  fc.array(fc.double({ min: -share, max: share, noNaN: true }), { minLength: count, maxLength: count })

test('a monthly bill is detected when its date varies by two days and its amount by 15 %', async () => {
  fc.assert(
    fc.property(jitter(2, 12), scatter(0.15, 12), fc.integer({ min: 1, max: 28 }), (days, shares, dayOfMonth) => {
      const bill = series(eachMonth([dayOfMonth], '2024-01', 12), 12_000, 'CITY POWER 88121', days, shares)
      const [stream, ...others] = detectRecurringStreams(bill, '2024-12-31')
      assert.equal(others.length, 0)
      assert.equal(stream?.cadence, 'monthly')
      assert.equal(stream.direction, 'outflow')
      assert.ok(Math.abs(stream.amountCents - 12_000) <= 1_800)
      assert.ok(Math.abs(dayOfDate(stream.nextDate) - (dayOfDate('2025-01-01') + dayOfMonth - 1)) <= 4, stream.nextDate)
      assert.equal(stream.transactionIds.length, 12)
    }),
    search(200)
  )
})

test('a usually punctual bill is detected despite single dates three days off', async () => {
  const days = [0, 0, 3, 0, 0, -3, 0, 0, 0, 3, 0, 0]
  const [stream] = detectRecurringStreams(series(eachMonth([10], '2024-01', 12), 99_900, 'RENT', days), '2024-12-20')
  assert.deepEqual([stream?.cadence, stream?.nextDate], ['monthly', '2025-01-10'])
})

test('weekly, biweekly and yearly streams are distinguished, with their next dates', async () => {
  const streams = detectRecurringStreams(
    [
      ...series(every(7, '2024-06-03', 20), 4_500, 'PIANO LESSONS'),
      ...series(every(14, '2024-03-01', 18), -210_000, 'ACME PAYROLL PPD ID: 4411'),
      ...series([dayOfDate('2022-11-05'), dayOfDate('2023-11-06')], 13_900, 'PRIME ANNUAL')
    ],
    '2024-10-20'
  )
  assert.deepEqual(
    streams.map(({ description, direction, cadence, nextDate, amountCents }) => [
      description,
      direction,
      cadence,
      nextDate,
      amountCents
    ]),
    [
      ['PIANO LESSONS', 'outflow', 'weekly', '2024-10-21', 4_500],
      ['ACME PAYROLL PPD ID: 4411', 'inflow', 'biweekly', '2024-10-25', 210_000],
      ['PRIME ANNUAL', 'outflow', 'yearly', '2024-11-06', 13_900]
    ]
  )
})

test('semimonthly pay on bank days is never taken for biweekly pay, nor the reverse', async () => {
  for (const pair of [
    [1, 15],
    [15, 31],
    [5, 20],
    [7, 22]
  ]) {
    for (let months = 3; months <= 12; months++) {
      const pay = series(onBankDays(eachMonth(pair, '2024-01', months)), -180_000, 'GLOBEX PAYROLL')
      const [stream] = detectRecurringStreams(pay, pay.at(-1)?.date ?? '')
      assert.equal(stream?.cadence, 'semimonthly', `${pair} for ${months} months`)
    }
  }
  for (let start = 1; start <= 14; start++) {
    for (let count = 4; count <= 24; count++) {
      const pay = series(every(14, `2024-01-${String(start).padStart(2, '0')}`, count), -180_000, 'GLOBEX PAYROLL')
      const [stream] = detectRecurringStreams(pay, pay.at(-1)?.date ?? '')
      assert.equal(stream?.cadence, 'biweekly', `from 2024-01-${start}, ${count} times`)
    }
  }
})

test('pay that moves to the Friday before a weekend is expected on that Friday', async () => {
  const pay = series(onBankDays(eachMonth([15], '2024-01', 11)), -400_000, 'NORTHWIND PAYROLL')
  const [stream] = detectRecurringStreams(pay, '2025-01-20')
  assert.equal(stream, undefined, 'a stream two months late has ended')
  const [running] = detectRecurringStreams(
    [...pay, booked('2024-12-13', -400_000, 'NORTHWIND PAYROLL'), booked('2025-01-15', -400_000, 'NORTHWIND PAYROLL')],
    '2025-01-20'
  )
  assert.equal(running?.nextDate, '2025-02-14')
})

test('a stopped stream is not reported, and one that is a day late is expected tomorrow', async () => {
  const gym = series(eachMonth([5], '2024-01', 6), 2_900, 'GYM')
  assert.deepEqual(detectRecurringStreams(gym, '2024-09-30'), [])
  assert.equal(detectRecurringStreams(gym, '2024-07-05')[0]?.nextDate, '2024-07-06')
})

test('the amount follows a price rise from the second payment on', async () => {
  const days = eachMonth([3], '2024-01', 9)
  const rent = [...series(days.slice(0, 7), 150_000, 'LANDLORD'), ...series(days.slice(7), 165_000, 'LANDLORD')]
  assert.equal(detectRecurringStreams(rent, '2024-09-20')[0]?.amountCents, 165_000)
})

test('a membership is detected among irregular purchases from the same merchant', async () => {
  const purchases = [3, 4, 11, 19, 23, 37, 38, 52, 71, 74, 90, 98, 99, 121, 140, 142, 151].map((offset, index) =>
    booked(dateOfDay(dayOfDate('2024-01-01') + offset), 1_900 + 977 * ((index * 7) % 13), `AMZN MKTP US*${index}X`)
  )
  const membership = series(eachMonth([12], '2024-01', 6), 1_499, 'AMZN MKTP US*PR1ME')
  const streams = detectRecurringStreams([...purchases, ...membership], '2024-06-20')
  assert.deepEqual(
    streams.map((stream) => [stream.amountCents, stream.cadence, stream.nextDate]),
    [[1_499, 'monthly', '2024-07-12']]
  )
})

test('two plans of one merchant are two streams', async () => {
  const plans = [
    ...series(eachMonth([5], '2024-01', 8), 99, 'APPLE.COM/BILL'),
    ...series(eachMonth([20], '2024-01', 8), 999, 'APPLE.COM/BILL')
  ]
  assert.deepEqual(
    detectRecurringStreams(plans, '2024-08-25').map((stream) => [stream.amountCents, stream.cadence]),
    [
      [99, 'monthly'],
      [999, 'monthly']
    ]
  )
})

test("transfers between the person's own accounts are neither income nor bills", async () => {
  const days = eachMonth([10], '2024-01', 10)
  const legs = days.flatMap((day, index) => [
    booked(dateOfDay(day), 50_000, 'TRANSFER TO SAVINGS'),
    booked(dateOfDay(day + (index % 4)), -50_000, 'TRANSFER FROM CHECKING', 'savings')
  ])
  assert.deepEqual(detectRecurringStreams(legs, '2024-10-20'), [])
  const toOutside = legs.filter((leg) => leg.accountId === 'checking')
  assert.equal(detectRecurringStreams(toOutside, '2024-10-20').length, 1)
})

test('a single payment and purchases at random times are not streams', async () => {
  assert.deepEqual(detectRecurringStreams([booked('2024-01-05', 13_900, 'CLUB FEE')], '2024-12-01'), [])
  const random = [2, 9, 11, 30, 33, 34, 50, 77, 79, 101].map((offset) =>
    booked(dateOfDay(dayOfDate('2024-01-01') + offset), 3_000 + offset * 41, 'CORNER SHOP')
  )
  assert.deepEqual(detectRecurringStreams(random, '2024-04-15'), [])
})

test('the result does not depend on the order of the transactions', async () => {
  const history = [
    ...series(every(14, '2024-03-01', 12), -210_000, 'ACME PAYROLL'),
    ...series(eachMonth([1], '2024-03', 6), 120_000, 'RENT'),
    ...series(
      every(7, '2024-03-02', 24),
      6_000,
      'MARKET',
      [],
      Array.from({ length: 24 }, (_, index) => (index % 5) / 10)
    )
  ]
  const expected = detectRecurringStreams(history, '2024-08-14')
  assert.ok(expected.length >= 3)
  fc.assert(
    fc.property(fc.shuffledSubarray(history, { minLength: history.length }), (shuffled) => {
      assert.deepEqual(detectRecurringStreams(shuffled, '2024-08-14'), expected)
    }),
    search(30)
  )
})
