import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import {
  calculateSafeToSpend,
  discretionaryPoolCents,
  type DueAmount,
  type SafeToSpendInput
} from '../../../modules/calculations/safe-to-spend.ts'
import { search } from '../../search.ts'

const plain: SafeToSpendInput = {
  cashBalanceCents: 0,
  cashBufferCents: 0,
  bills: [],
  income: [],
  savingsCents: 0,
  debtCents: 0,
  daysInPeriod: 30
}

const total = (amounts: DueAmount[], due: (dueInDays: number) => boolean): number =>
  amounts.reduce((sum, { amountCents, dueInDays }) => sum + (due(dueInDays) ? amountCents : 0), 0)

/** Finds the allowance by definition: tries every amount from zero upwards on every day. */
const largestAllowance = (input: SafeToSpendInput): number => {
  const { cashBalanceCents, cashBufferCents, savingsCents, debtCents, bills, income, daysInPeriod } = input
  const start = cashBalanceCents - cashBufferCents - savingsCents - debtCents
  if (start - total(bills, (due) => due <= daysInPeriod) < 0) return 0
  const holds = (allowance: number): boolean => {
    for (let day = 1; day <= daysInPeriod; day++) {
      if (allowance * day > start - total(bills, (due) => due <= day) + total(income, (due) => due < day)) return false
    }
    return true
  }
  let allowance = 0
  while (holds(allowance + 1)) allowance++
  return allowance
}

const dueAmounts = (mostCents: number) =>
  fc.array(fc.record({ amountCents: fc.nat(mostCents), dueInDays: fc.nat(45) }), { maxLength: 6 })
const inputs: fc.Arbitrary<SafeToSpendInput> = fc.record({
  cashBalanceCents: fc.integer({ min: -500, max: 6_000 }),
  cashBufferCents: fc.nat(300),
  bills: dueAmounts(900),
  income: dueAmounts(900),
  savingsCents: fc.nat(300),
  debtCents: fc.nat(300),
  daysInPeriod: fc.integer({ min: 1, max: 40 })
})

test('the allowance is the largest that every day can afford', async () => {
  fc.assert(
    fc.property(inputs, (input) => {
      assert.equal(calculateSafeToSpend(input).dailyAllowanceCents, largestAllowance(input))
    }),
    search(3_000, 11)
  )
})

test('without income the allowance is the pool divided by the days, rounded down', async () => {
  fc.assert(
    fc.property(inputs, (input) => {
      const result = calculateSafeToSpend({ ...input, income: [] })
      assert.equal(
        result.dailyAllowanceCents,
        Math.max(0, Math.floor(discretionaryPoolCents(result) / input.daysInPeriod))
      )
    }),
    search(3_000, 12)
  )
})

test('more cash or income never allows less, and more bills or a larger buffer never allow more', async () => {
  fc.assert(
    fc.property(inputs, fc.nat(500), fc.nat(45), (input, amountCents, dueInDays) => {
      const allowed = calculateSafeToSpend(input).dailyAllowanceCents
      const change = (changed: Partial<SafeToSpendInput>) =>
        calculateSafeToSpend({ ...input, ...changed }).dailyAllowanceCents
      assert.ok(change({ cashBalanceCents: input.cashBalanceCents + amountCents }) >= allowed)
      assert.ok(change({ income: [...input.income, { amountCents, dueInDays }] }) >= allowed)
      assert.ok(change({ bills: [...input.bills, { amountCents, dueInDays }] }) <= allowed)
      assert.ok(change({ cashBufferCents: input.cashBufferCents + amountCents }) <= allowed)
    }),
    search(3_000, 13)
  )
})

test('large amounts stay exact, and every amount is a whole number of cents that is zero or more', async () => {
  const large = fc.array(fc.record({ amountCents: fc.nat(99_999_999_999), dueInDays: fc.nat(3650) }), {
    maxLength: 1000
  })
  fc.assert(
    fc.property(
      fc.integer({ min: -99_999_999_999, max: 99_999_999_999 }),
      large,
      large,
      fc.integer({ min: 1, max: 366 }),
      (cash, bills, income, days) => {
        const result = calculateSafeToSpend({ ...plain, cashBalanceCents: cash, bills, income, daysInPeriod: days })
        assert.ok(Number.isSafeInteger(result.dailyAllowanceCents) && result.dailyAllowanceCents >= 0)
        const exactBills = bills
          .filter(({ dueInDays }) => dueInDays <= days)
          .reduce((sum, { amountCents }) => sum + BigInt(amountCents), 0n)
        assert.equal(BigInt(discretionaryPoolCents(result)), BigInt(cash) - exactBills)
      }
    ),
    search(200, 14)
  )
})

test('a bill counts from its due date: one due today from the first day, one after the period never', async () => {
  const withBill = (dueInDays: number) =>
    calculateSafeToSpend({
      ...plain,
      cashBalanceCents: 1_000,
      bills: [{ amountCents: 400, dueInDays }],
      daysInPeriod: 10
    })
  assert.deepEqual([withBill(0).billsCents, withBill(0).dailyAllowanceCents], [400, 60])
  assert.deepEqual([withBill(10).billsCents, withBill(10).dailyAllowanceCents], [400, 60])
  assert.deepEqual([withBill(11).billsCents, withBill(11).dailyAllowanceCents], [0, 100])
})

test('income counts from the day after it is due, and cannot raise the allowance of the days before', async () => {
  const withIncome = (dueInDays: number) =>
    calculateSafeToSpend({
      ...plain,
      cashBalanceCents: 1_000,
      income: [{ amountCents: 1_000, dueInDays }],
      daysInPeriod: 10
    })
  assert.equal(withIncome(0).dailyAllowanceCents, 200)
  assert.equal(withIncome(4).dailyAllowanceCents, 200)
  assert.equal(withIncome(8).dailyAllowanceCents, 125)
  assert.equal(withIncome(9).dailyAllowanceCents, 111)
  assert.equal(withIncome(10).dailyAllowanceCents, 100)
  assert.equal(discretionaryPoolCents(withIncome(4)), 1_000)
})

test('a pool below zero allows nothing, even when income is expected', async () => {
  const result = calculateSafeToSpend({
    ...plain,
    cashBalanceCents: 100,
    bills: [{ amountCents: 200, dueInDays: 20 }],
    income: [{ amountCents: 900, dueInDays: 0 }]
  })
  assert.equal(result.dailyAllowanceCents, 0)
  assert.equal(discretionaryPoolCents(result), -100)
})

test('an empty pool still allows expected income to be spent', async () => {
  const result = calculateSafeToSpend({
    ...plain,
    cashBalanceCents: 100,
    bills: [{ amountCents: 100, dueInDays: 10 }],
    income: [{ amountCents: 900, dueInDays: 0 }],
    daysInPeriod: 10
  })
  assert.deepEqual([discretionaryPoolCents(result), result.dailyAllowanceCents], [0, 90])
})
