import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { transact } from '../../../plugins/database/transaction.ts'
import { openWallet, post } from '../../../plugins/ledger/book.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { openTestDatabase } from '../../test-database.ts'

const { db } = await openTestDatabase(t)
const now = new Date('2026-06-14T18:00:00.000Z')

const run = async (...statements: string[]): Promise<void> => {
  for (const statement of statements) await sql.raw(statement).execute(db)
}

/** The faults found while the ledger is corrupted by `bend`. Afterwards `mend` restores it. */
const findings = async (corrupt: string[], restore: string[]): Promise<[invariant: string, where: string][]> => {
  await run(...corrupt)
  const { faults } = await verifyLedger(db)
  await run(...restore)
  assert.deepEqual((await verifyLedger(db)).faults, [], 'mended')
  return faults.map(({ invariant, where }) => [invariant, where])
}

/** Disables the guards of tables around manual changes, which only the owner of the tables can do. */
const byHand = (tables: string[], corrupt: string[], restore: string[]): [bend: string[], mend: string[]] => {
  const unguarded = (statements: string[]): string[] => [
    ...tables.map((table) => `alter table ${table} disable trigger user`),
    ...statements,
    ...tables.map((table) => `alter table ${table} enable trigger user`)
  ]
  return [unguarded(corrupt), unguarded(restore)]
}

const move = (type: 'earn' | 'spend', amountCents: number) =>
  transact(db, (trx) => post(trx, { walletId: 'w', type, amountCents, description: 'A call' }, now))
await transact(db, (trx) => openWallet(trx, 'w', now))
const earned = await move('earn', 100)
const spent = await move('spend', 30)
const [first, second] = [earned.posted && earned.transactionId, spent.posted && spent.transactionId]

test('a consistent ledger has no faults, and all of it is counted', async () => {
  assert.deepEqual(await verifyLedger(db), { faults: [], wallets: 1, transactions: 2, entries: 4 })
})

test('a transaction whose entries do not sum to zero is detected', async () => {
  const set = (cents: number) =>
    `update ledger_entries set amount_cents = ${cents} where transaction_id = ${second} and wallet_id is null`
  assert.deepEqual(await findings(...byHand(['ledger_entries'], [set(31)], [set(30)])), [
    ['the entries of each transaction sum to zero', `transaction ${second}: the sum is 1 cents`]
  ])
})

test('a transaction without entries is detected', async () => {
  const add = `insert into ledger_transactions (id, type, description, created_at) overriding system value values (999, 'adjustment', 'by hand', now())`
  assert.deepEqual(
    await findings(...byHand(['ledger_transactions'], [add], ['delete from ledger_transactions where id = 999'])),
    [['each transaction has two entries or more', 'transaction 999: 0 entries']]
  )
})

test('a balance that differs from the sum of its entries is detected', async () => {
  const set = (cents: number) => `update ledger_wallets set balance_cents = ${cents} where wallet_id = 'w'`
  assert.deepEqual(await findings(...byHand(['ledger_wallets'], [set(77)], [set(70)])), [
    ['each balance is the sum of its wallet’s entries', 'wallet w: the balance is 77 cents, the entries sum to 70']
  ])
})

test('a wallet below zero is detected, now or in the past', async () => {
  const set = (change: number) => [
    `update ledger_entries set amount_cents = amount_cents - ${change}, balance_after_cents = balance_after_cents - ${change}
      where transaction_id = ${second} and wallet_id is not null`,
    `update ledger_entries set amount_cents = amount_cents + ${change} where transaction_id = ${second} and wallet_id is null`,
    `update ledger_wallets set balance_cents = balance_cents - ${change}`
  ]
  const unchecked = [
    'alter table ledger_wallets drop constraint ledger_wallet_not_below_zero',
    'alter table ledger_entries drop constraint ledger_entries_balance_after_cents_check'
  ]
  const checked = [
    'alter table ledger_wallets add constraint ledger_wallet_not_below_zero check (balance_cents >= 0)',
    'alter table ledger_entries add constraint ledger_entries_balance_after_cents_check check (balance_after_cents >= 0)'
  ]
  const invariant = 'no wallet is or ever was below zero'
  assert.deepEqual(
    await findings(
      ...byHand(['ledger_entries', 'ledger_wallets'], [...unchecked, ...set(71)], [...set(-71), ...checked])
    ),
    [
      [invariant, 'wallet w: -1 cents'],
      [invariant, `wallet w after transaction ${second}: -1 cents`],
      ['the guards of the tables are in place', 'constraint ledger_wallet_not_below_zero is missing']
    ]
  )
})

test('a wrong balance stored with an entry is detected', async () => {
  const set = (cents: number) =>
    `update ledger_entries set balance_after_cents = ${cents} where transaction_id = ${first} and wallet_id is not null`
  assert.deepEqual(await findings(...byHand(['ledger_entries'], [set(99)], [set(100)])), [
    [
      'the balance after each entry is the sum of the entries up to it',
      `wallet w after transaction ${first}: stored 99 cents, summed 100`
    ]
  ])
})

test('credits moved against the direction of their type are detected', async () => {
  const set = (id: number | false, type: string) => `update ledger_transactions set type = '${type}' where id = ${id}`
  const invariant = 'each type moves credits in its own direction'
  for (const type of ['spend', 'repayment', 'refund']) {
    assert.deepEqual(await findings(...byHand(['ledger_transactions'], [set(first, type)], [set(first, 'earn')])), [
      [invariant, `transaction ${first}: ${type} of 100 cents`]
    ])
  }
  for (const type of ['earn', 'loan']) {
    assert.deepEqual(await findings(...byHand(['ledger_transactions'], [set(second, type)], [set(second, 'spend')])), [
      [invariant, `transaction ${second}: ${type} of -30 cents`]
    ])
  }
})

test('a transfer without a second wallet is detected', async () => {
  const set = (type: string) => `update ledger_transactions set type = '${type}' where id = ${second}`
  assert.deepEqual(await findings(...byHand(['ledger_transactions'], [set('transfer')], [set('spend')])), [
    ['a transfer is between two wallets, and nothing else is', `transaction ${second}: transfer with 1 wallets`]
  ])
})

test('every disabled guard is detected, and a missing one as well', async () => {
  const { rows } = await sql<{ table: string; guard: string }>`
    select tgrelid::regclass::text as table, tgname::text as guard from pg_trigger where tgrelid::regclass::text like 'ledger_%' and not tgisinternal
    order by tgname`.execute(db)
  assert.equal(rows.length, 9)
  const invariant = 'the guards of the tables are in place'
  for (const { table, guard } of rows) {
    const found = await findings(
      [`alter table ${table} disable trigger ${guard}`],
      [`alter table ${table} enable trigger ${guard}`]
    )
    assert.deepEqual(found, [[invariant, `trigger ${guard} is disabled`]])
  }
  const renamed = (from: string, to: string) => `alter trigger ${from} on ledger_entries rename to ${to}`
  assert.deepEqual(
    await findings([renamed('ledger_entries_kept', 'another')], [renamed('another', 'ledger_entries_kept')]),
    [[invariant, 'trigger ledger_entries_kept is missing']]
  )
})

test('the first hundred faults of each kind are reported', async () => {
  const wallets = `insert into ledger_wallets (wallet_id, balance_cents, created_at) select 'bent-' || n, 1, now() from generate_series(1, 101) as n`
  const found = await findings(
    ...byHand(['ledger_wallets'], [wallets], [`delete from ledger_wallets where wallet_id like 'bent-%'`])
  )
  assert.equal(found.length, 100)
})
