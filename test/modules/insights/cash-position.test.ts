import assert from 'node:assert/strict'
import { test } from 'tap'
import { cashPosition, type LinkedAccount } from '../../../modules/insights/cash-position.ts'

const account = (id: string, more: Partial<LinkedAccount> = {}): LinkedAccount => ({
  id,
  type: 'depository',
  subtype: 'checking',
  currentBalanceCents: 11_000,
  availableBalanceCents: 10_000,
  isoCurrencyCode: 'USD',
  asOf: new Date('2026-06-14T18:00:00Z'),
  stale: false,
  ...more
})
const idsOf = (accounts: LinkedAccount[], currency?: string) =>
  cashPosition(accounts, currency)?.accounts.map(({ id }) => id)

test('the cash position includes only accounts with a balance of one currency', async () => {
  const accounts = [
    account('card', { type: 'credit', subtype: 'credit card' }),
    account('checking'),
    account('savings', {
      subtype: 'savings',
      availableBalanceCents: null,
      asOf: new Date('2026-06-10T00:00:00Z'),
      stale: true
    }),
    account('euros', { isoCurrencyCode: 'EUR', asOf: new Date('2026-01-01T00:00:00Z') }),
    account('unknown', { availableBalanceCents: null, currentBalanceCents: null }),
    account('coins', { isoCurrencyCode: null })
  ]
  const position = cashPosition(accounts)
  assert.deepEqual(
    [position?.currency, position?.stale, position?.asOf.toISOString()],
    ['USD', true, '2026-06-10T00:00:00.000Z']
  )
  assert.deepEqual(idsOf(accounts), ['checking', 'savings'])
})

test('money with a term or a purpose is not spendable, nor is credit', async () => {
  const spendable = ['checking', 'savings', 'money market', 'cash management', 'prepaid']
  const others = ['cd', 'hsa', 'ebt', 'paypal', 'gic', null]
  const accounts = [...spendable, ...others].map((subtype, index) => account(`a${index}`, { subtype }))
  accounts.push(account('line', { type: 'loan', subtype: 'line of credit' }), account('ira', { type: 'investment' }))
  assert.deepEqual(idsOf(accounts), ['a0', 'a1', 'a2', 'a3', 'a4'])
})

test('the default currency has the largest absolute balance, and another one can be chosen', async () => {
  const accounts = [
    account('dollars'),
    account('pesos', { isoCurrencyCode: 'MXN', availableBalanceCents: -12_000 }),
    account('euros', { isoCurrencyCode: 'EUR', availableBalanceCents: 6_000 }),
    account('more euros', { isoCurrencyCode: 'EUR', availableBalanceCents: 5_000 })
  ]
  assert.equal(cashPosition(accounts)?.currency, 'MXN')
  assert.deepEqual(idsOf(accounts, 'EUR'), ['euros', 'more euros'])
  assert.equal(cashPosition(accounts, 'GBP'), undefined)
})

test('without a cash account there is no cash position', async () => {
  assert.equal(cashPosition([]), undefined)
  assert.equal(cashPosition([account('card', { type: 'credit' }), account('loan', { type: 'loan' })]), undefined)
})
