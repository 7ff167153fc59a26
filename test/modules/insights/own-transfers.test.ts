import assert from 'node:assert/strict'
import { test } from 'tap'
import { readTransactions, type BankTransaction } from '../../../modules/insights/bank-transaction.ts'
import { dayOfDate } from '../../../modules/insights/civil-date.ts'
import { detectRecurringStreams } from '../../../modules/insights/recurring.ts'
import { booked, eachMonth, series } from './made-up-history.ts'

const into = (account: string, transactions: BankTransaction[], category?: string): BankTransaction[] =>
  transactions.map((transaction) => ({ ...transaction, accountId: account, ...(category ? { category } : {}) }))

const internalOf = (transactions: BankTransaction[]): boolean[] =>
  readTransactions(transactions, dayOfDate('2026-12-31')).map(({ internal }) => internal)

const leg = (date: string, amountCents: number, description: string, account: string, category?: string) => ({
  ...booked(date, amountCents, description, account),
  ...(category === undefined ? {} : { category })
})

test('rent and salary of equal size stay, whatever a cent makes of them', async () => {
  for (const salary of [150_000, 150_001]) {
    const transactions = [
      ...series(eachMonth([1], '2025-01', 11), 150_000, 'City Rentals'),
      ...into('savings', series(eachMonth([3], '2025-01', 11), -salary, 'ACME Salary'))
    ]
    assert.deepEqual(
      detectRecurringStreams(transactions, '2025-11-20').map(({ description, nextDate }) => [description, nextDate]),
      [
        ['City Rentals', '2025-12-01'],
        ['ACME Salary', '2025-12-03']
      ]
    )
  }
})

test('rent that comes in and goes out again, and a salary of its size elsewhere, are three streams', async () => {
  for (const salary of [150_000, 150_001]) {
    const transactions = [
      ...series(eachMonth([1], '2025-01', 11), -150_000, 'City Rentals'),
      ...series(eachMonth([1], '2025-01', 11), 150_000, 'FIRST MORTGAGE'),
      ...into('savings', series(eachMonth([3], '2025-01', 11), -salary, 'ACME'), 'INCOME')
    ]
    assert.deepEqual(
      detectRecurringStreams(transactions, '2025-11-20')
        .map(({ description, direction, cadence }) => [description, direction, cadence])
        .sort(),
      [
        ['ACME', 'inflow', 'monthly'],
        ['City Rentals', 'inflow', 'monthly'],
        ['FIRST MORTGAGE', 'outflow', 'monthly']
      ]
    )
  }
})

test('a transfer is recognised by category or by words, in three languages', async () => {
  for (const [out, back] of [
    ['TRANSFER TO SAVINGS', 'TRANSFER FROM CHECKING'],
    ['Umbuchung auf Tagesgeld', 'Gutschrift'],
    ['Traspaso a cuenta propia', 'Traspaso'],
    ['ONLINE XFER', 'XFER 4411']
  ] as const)
    assert.deepEqual(internalOf([leg('2026-03-06', 5_000, out, 'a'), leg('2026-03-09', -5_000, back, 'b')]), [
      true,
      true
    ])
  const categories = [
    leg('2026-03-06', 5_000, 'X', 'a', 'TRANSFER_OUT'),
    leg('2026-03-06', -5_000, 'Y', 'b', 'TRANSFER_IN')
  ]
  assert.deepEqual(internalOf(categories), [true, true])
})

test('legs on one account, in the wrong order, days apart or of another kind are no transfer', async () => {
  const out = leg('2026-03-06', 5_000, 'TRANSFER TO SAVINGS', 'a')
  for (const other of [
    leg('2026-03-06', -5_000, 'TRANSFER FROM CHECKING', 'a'),
    leg('2026-03-05', -5_000, 'TRANSFER FROM CHECKING', 'b'),
    leg('2026-03-11', -5_000, 'TRANSFER FROM CHECKING', 'b'),
    leg('2026-03-06', -5_001, 'TRANSFER FROM CHECKING', 'b'),
    leg('2026-03-06', -5_000, 'GLOBEX PAYROLL', 'b'),
    leg('2026-03-06', -5_000, 'GLOBEX', 'b', 'INCOME')
  ])
    assert.deepEqual(internalOf([out, other]), [false, false], other.description)
  const unlabelled = [leg('2026-03-06', 5_000, 'MARIA', 'a'), leg('2026-03-06', -5_000, 'JOSE', 'b')]
  assert.deepEqual(internalOf(unlabelled), [false, false])
})
