import assert from 'node:assert/strict'
import { t, test } from 'tap'
import type { NewAccount } from '../../../modules/linking/changes.ts'
import { deleteItem } from '../../../modules/linking/queries/items.ts'
import { listAccountsOf, saveAccounts } from '../../../modules/linking/queries/accounts.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { startWorld } from './world.ts'

const world = await startWorld(t)
const { db } = world.database

const account = (plaidAccountId: string, ordinal: number, cents: number, asOf: string): NewAccount => ({
  plaidAccountId,
  ordinal,
  name: 'Checking',
  mask: '0000',
  type: 'depository',
  subtype: 'checking',
  currentBalanceCents: cents,
  availableBalanceCents: null,
  isoCurrencyCode: 'USD',
  asOf,
  persistentAccountId: null
})

const save = (itemId: string, accounts: NewAccount[], listedIds: string[] = []) =>
  transact(db, (trx) => saveAccounts(trx, itemId, { accounts, listedIds }, world.clock.now()))

const [early, noon, late] = [
  '2030-06-14T09:00:00.000Z',
  '2030-06-14T12:00:00.000Z',
  '2030-06-14T18:00:00.000Z'
] as const

test('saving keeps and returns the newer balance of each account, in the order of the item’s accounts', async () => {
  const { itemId, accounts } = await world.link()
  const first = await save(itemId, [account('one', 90, 100, noon), account('two', 91, 200, noon)])
  assert.equal(first.length, accounts.length + 2)
  const second = await save(itemId, [account('one', 90, 50, early), account('two', 91, 250, late)])
  assert.deepEqual(
    second.slice(-2).map((row) => [row.plaidAccountId, row.currentBalanceCents, row.asOf.toISOString()]),
    [
      ['one', 100, noon],
      ['two', 250, late]
    ]
  )
  assert.deepEqual(
    second.map(({ id }) => id),
    first.map(({ id }) => id)
  )
  assert.deepEqual(second, await listAccountsOf(db, [itemId]))
})

test('balances of a deleted item are not stored', async () => {
  const { itemId } = await world.link('usr_gone')
  await transact(db, (trx) => deleteItem(trx, itemId))
  assert.deepEqual(await save(itemId, [account('one', 0, 100, noon)]), [])
})
