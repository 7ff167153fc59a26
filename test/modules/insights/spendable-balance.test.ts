import assert from 'node:assert/strict'
import { test } from 'tap'
import type { BankTransaction } from '../../../modules/insights/bank-transaction.ts'
import { cashPosition } from '../../../modules/insights/cash-position.ts'
import { forecastCashFlow } from '../../../modules/insights/forecast.ts'
import { spendableBalance, withoutBookedPending } from '../../../modules/insights/spendable-balance.ts'
import { booked, eachMonth, series } from './made-up-history.ts'

const account = (currentBalanceCents: number | null, availableBalanceCents: number | null, id = 'checking') => ({
  id,
  currentBalanceCents,
  availableBalanceCents
})
const pending = (date: string, amountCents: number, description = 'SHOP'): BankTransaction => ({
  ...booked(date, amountCents, description),
  pending: true
})

/** The projected balance after one day, without anything but rent in the history. */
const tomorrow = (accounts: ReturnType<typeof account>[], more: BankTransaction[], asOf = '2026-05-31') => {
  const transactions = [...series(eachMonth([1], '2025-07', 11), 131_500, 'CITY RENTALS'), ...more]
  const currentBalanceCents = spendableBalance(accounts, transactions)
  const { daily, shortfalls, recurring } = forecastCashFlow({ transactions, currentBalanceCents, asOf, horizonDays: 3 })
  return { balance: daily[0]?.projectedBalanceCents, shortfalls, next: recurring[0]?.nextDate }
}

test('without an available balance, pending transactions are off the current one', async () => {
  assert.equal(spendableBalance([account(100_000, null)], [pending('2026-05-30', 40_000)]), 60_000)
  assert.equal(spendableBalance([account(100_000, null)], [pending('2026-05-30', -40_000)]), 140_000)
  assert.equal(spendableBalance([account(100_000, null)], [booked('2026-05-30', 40_000, 'SHOP')]), 100_000)
  assert.equal(spendableBalance([account(null, null)], []), 0)
})

test('an available balance is net of pending transactions already', async () => {
  assert.equal(spendableBalance([account(100_000, 60_000)], [pending('2026-05-30', 40_000)]), 60_000)
  const two = [account(100_000, 60_000), account(50_000, null, 'savings')]
  assert.equal(spendableBalance(two, [pending('2026-05-30', 40_000)]), 110_000)
})

test('a pending transaction whose booked successor is present is left out', async () => {
  const row = (id: string, pendingTransactionId: string | null) => ({ id, pendingTransactionId })
  assert.deepEqual(withoutBookedPending([row('a', null), row('b', 'a'), row('c', null)]), [
    row('b', 'a'),
    row('c', null)
  ])
})

test('rent that is due tomorrow causes a shortfall', async () => {
  const { balance, shortfalls, next } = tomorrow([account(10_000, 10_000)], [])
  assert.deepEqual([balance, shortfalls[0]?.amountCents, next], [-121_500, 121_500, '2026-06-01'])
})

test('a certificate of deposit and a health account do not pay the rent of tomorrow', async () => {
  const linked = (id: string, subtype: string, current: number, available: number | null) => ({
    ...account(current, available, id),
    type: 'depository',
    subtype,
    isoCurrencyCode: 'USD',
    asOf: new Date('2026-05-31T12:00:00Z'),
    stale: false
  })
  const position = cashPosition([
    linked('checking', 'checking', 10_000, 10_000),
    linked('cd', 'cd', 2_000_000, null),
    linked('hsa', 'hsa', 300_000, 300_000)
  ])
  const { balance, shortfalls } = tomorrow(position?.accounts ?? [], [])
  assert.deepEqual([balance, shortfalls[0]], [-121_500, { date: '2026-06-01', amountCents: 121_500 }])
})

test('rent that is pending, dated tomorrow and off the available balance counts once', async () => {
  const rent = pending('2026-06-01', 131_500, 'CITY RENTALS')
  for (const accounts of [[account(200_000, 68_500)], [account(200_000, null)]]) {
    const { balance, shortfalls, next } = tomorrow(accounts, [rent])
    assert.deepEqual([balance, shortfalls, next], [68_500, [], '2026-07-01'])
  }
})

test('rent that is booked ahead for tomorrow counts once, on its day', async () => {
  const { balance, next } = tomorrow([account(200_000, 200_000)], [booked('2026-06-01', 131_500, 'CITY RENTALS')])
  assert.deepEqual([balance, next], [68_500, '2026-07-01'])
})

test('rent that was pending and is booked counts once', async () => {
  const paid = booked('2026-05-31', 131_500, 'CITY RENTALS')
  const { balance, next } = tomorrow([account(68_500, 68_500)], [paid])
  assert.deepEqual([balance, next], [68_500, '2026-07-01'])
})
