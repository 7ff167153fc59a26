import type { SeededRandom } from '../random.ts'
import type { Behaviour } from './behaviour.ts'

type Fields = Record<string, unknown>

const without = (record: Fields, name: string): Fields =>
  Object.fromEntries(Object.entries(record).filter(([field]) => field !== name))

/** Ways in which a transaction can break Plaid's contract. */
const breaks: ((record: Fields, random: SeededRandom) => unknown)[] = [
  (record) => ({ ...record, amount: String(record.amount) }),
  (record) => ({ ...record, amount: null }),
  (record) => ({ ...record, amount: 1e300 }),
  (record) => without(record, 'amount'),
  (record) => ({ ...record, date: '2026-02-30' }),
  (record) => ({ ...record, date: null }),
  (record) => ({ ...record, date: '0000-00-00' }),
  (record) => ({ ...record, authorized_date: 'yesterday' }),
  (record) => without(record, 'pending'),
  (record) => ({ ...record, pending: 'true' }),
  (record) => ({ ...record, account_id: 'no-such-account' }),
  (record) => without(record, 'account_id'),
  (record) => ({ ...record, name: { text: record.name } }),
  (record) => ({ ...record, name: 'x'.repeat(20_000) }),
  (record) => ({ ...record, personal_finance_category: 'FOOD_AND_DRINK' }),
  (record) => ({ ...record, transaction_id: '' }),
  (record) => ({ ...record, iso_currency_code: 840 })
]

/** Texts that are unusual, but that Plaid's contract allows. */
const oddNames = [
  '',
  '🏦 Café «Ñandú»',
  "Robert'); drop table transactions;--",
  '<script>alert(1)</script>',
  '\u202Eevil'
]

/** Some transactions and one account break Plaid's contract, and some have unusual texts. */
export const oddRecords: Behaviour = {
  name: 'odd records',
  transaction(transaction, random) {
    const fate = random.next()
    if (fate < 0.02) return { record: random.pick(breaks)({ ...transaction }, random), isSound: false }
    if (fate < 0.05) return { record: { ...transaction, name: random.pick(oddNames) }, isSound: true }
    return { record: transaction, isSound: true }
  },
  strays: () => [null, 'a text', 42, [], { transaction_id: 'without-anything' }],
  account: (account) =>
    account.mask === '6666'
      ? { record: { ...account, balances: { ...account.balances, current: 'much' }, name: null }, isSound: false }
      : { record: account, isSound: true }
}
