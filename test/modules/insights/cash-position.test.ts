import assert from 'node:assert/strict'
import { test } from 'tap'
import { cashPosition, type LinkedAccount } from '../../../modules/insights/cash-position.ts'

const account = (id: string, more: Partial<LinkedAccount> = {}): LinkedAccount => ({
  id,
  type: 'depository',
  currentBalanceCents: 11_000,
  availableBalanceCents: 10_000,
  isoCurrencyCode: 'USD',
  asOf: new Date('2026-06-14T18:00:00Z'),
  stale: false,
  ...more
})
test('the cash position includes only cash accounts of one currency', async () => {
  const accounts = [
    account('card', { type: 'credit' }),
    account('checking'),
    account('savings', { availableBalanceCents: null, asOf: new Date('2026-06-10T00:00:00Z'), stale: true }),
    account('euros', { isoCurrencyCode: 'EUR', asOf: new Date('2026-01-01T00:00:00Z') }),
    account('unknown', { availableBalanceCents: null, currentBalanceCents: null })
  ]
  const position = cashPosition(accounts)
  assert.deepEqual(
    [position?.currency, position?.balanceCents, position?.stale, position?.asOf.toISOString()],
    ['USD', 21_000, true, '2026-06-10T00:00:00.000Z']
  )
  assert.deepEqual(position?.accountIds, ['checking', 'savings'])
})

test('without a cash account there is no cash position', async () => {
  assert.equal(cashPosition([]), undefined)
  assert.equal(cashPosition([account('card', { type: 'credit' }), account('loan', { type: 'loan' })]), undefined)
})
