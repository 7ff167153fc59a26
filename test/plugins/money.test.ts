import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { decimalsOf, fromMinorUnits, toMinorUnits } from '../../plugins/money.ts'
import { search } from '../search.ts'

test('currencies have the decimals of ISO 4217', async () => {
  const decimals = ['USD', 'EUR', 'JPY', 'KWD', 'IQD', 'CLP', 'HUF', null, 'BTC', '__proto__'].map(decimalsOf)
  assert.deepEqual(decimals, [2, 2, 0, 3, 3, 0, 2, 2, 2, 2])
})

test('amounts convert exactly, half a unit away from zero', async () => {
  for (const [amount, currency, minor] of [
    [78.45, 'USD', 7_845],
    [1.005, 'USD', 101],
    [-1.005, 'USD', -101],
    [23_631.9805, 'USD', 2_363_198],
    [1e-7, 'USD', 0],
    [-1e-7, 'USD', 0],
    [1234, 'JPY', 1_234],
    [91.275, 'KWD', 91_275],
    [0.29, 'EUR', 29]
  ] as const)
    assert.equal(toMinorUnits(amount, currency), minor, `${amount} ${currency}`)
  assert.equal(toMinorUnits(1e300, 'USD'), 1e302)
})

test('minor units of any currency survive the way to the wire and back', async () => {
  const currency = fc.constantFrom('USD', 'JPY', 'KWD', null)
  fc.assert(
    fc.property(fc.integer({ min: -100_000_000_000_000, max: 100_000_000_000_000 }), currency, (minor, code) => {
      assert.equal(toMinorUnits(fromMinorUnits(minor, code), code), minor)
    }),
    search(200)
  )
})
