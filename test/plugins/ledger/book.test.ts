import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { transact } from '../../../plugins/database/transaction.ts'
import {
  lockBalance,
  openWallet,
  post,
  readBalances,
  readHistory,
  readMovement,
  type Posting
} from '../../../plugins/ledger/book.ts'
import { openTestDatabase } from '../../test-database.ts'

const { db } = await openTestDatabase(t)
const now = new Date('2026-06-14T18:00:00.000Z')

const open = (walletId: string) => transact(db, (trx) => openWallet(trx, walletId, now))
const book = (walletId: string, type: Posting['type'], amountCents: number, more: Partial<Posting> = {}, at = now) =>
  transact(db, (trx) =>
    post(trx, { walletId, type, amountCents, description: `A posting of the type ${type}`, ...more }, at)
  )
const balanceOf = async (walletId: string) => (await readBalances(db, [walletId])).get(walletId)

test('each type moves credits in its own direction, and the outcome contains the new balance', async () => {
  await open('directions')
  const moves: [Posting['type'], number, number][] = [
    ['earn', 1_000, 1_000],
    ['loan', 500, 1_500],
    ['spend', 200, 1_300],
    ['repayment', 300, 1_000],
    ['refund', 100, 900],
    ['adjustment', 50, 950],
    ['adjustment', -150, 800]
  ]
  for (const [type, amountCents, balanceCents] of moves) {
    const posted = await book('directions', type, amountCents)
    assert.deepEqual(
      posted,
      { posted: true, transactionId: posted.posted && posted.transactionId, balanceCents, repeated: false },
      type
    )
    assert.equal(await balanceOf('directions'), balanceCents)
  }
})

test('amounts that are not whole cents, are zero, or have the wrong sign for their type are rejected', async () => {
  await open('refused')
  await book('refused', 'earn', 10)
  for (const type of ['earn', 'spend', 'loan', 'repayment', 'refund'] as const) {
    for (const amountCents of [0, -1, 0.5, Number.NaN, 2 ** 53]) {
      await assert.rejects(
        book('refused', type, amountCents),
        new RangeError(`A posting of the type ${type} cannot have the amount ${amountCents}.`)
      )
    }
  }
  for (const amountCents of [0, -0.5, -(2 ** 53)])
    await assert.rejects(book('refused', 'adjustment', amountCents), RangeError)
  assert.equal(await balanceOf('refused'), 10)
})

test('a wallet can be emptied to the last cent, and one cent more is not booked', async () => {
  await open('last-cent')
  await book('last-cent', 'earn', 100)
  assert.deepEqual(await book('last-cent', 'spend', 101), { posted: false, balanceCents: 100 })
  assert.equal((await readHistory(db, 'last-cent', 10)).length, 1)
  assert.equal((await book('last-cent', 'spend', 100)).balanceCents, 0)
})

test('a reference is booked once, and repeating it returns the first booking and the current balance', async () => {
  await open('referred')
  const first = await book('referred', 'earn', 100, { reference: 'topup:1' })
  await book('referred', 'earn', 40)
  assert.ok(first.posted)
  assert.deepEqual(await book('referred', 'earn', 100, { reference: 'topup:1' }), {
    posted: true,
    transactionId: first.transactionId,
    balanceCents: 140,
    repeated: true
  })
  await assert.rejects(book('referred', 'earn', 101, { reference: 'topup:1' }), /booked already with another content/)
  assert.equal(await balanceOf('referred'), 140)
})

test('opening a wallet again changes nothing', async () => {
  await open('opened')
  await book('opened', 'earn', 70)
  await open('opened')
  assert.equal(await balanceOf('opened'), 70)
  const { created_at } = await db
    .selectFrom('ledger_wallets')
    .select('created_at')
    .where('wallet_id', '=', 'opened')
    .executeTakeFirstOrThrow()
  assert.deepEqual(created_at, now)
})

test('unknown wallets and transactions throw, and have an empty history', async () => {
  await assert.rejects(book('nowhere', 'earn', 1), /There is no wallet nowhere/)
  await assert.rejects(
    transact(db, (trx) => lockBalance(trx, 'nowhere')),
    new Error('Wallet nowhere does not exist.')
  )
  await assert.rejects(readMovement(db, 987_654), new Error('Ledger transaction 987654 does not exist.'))
  assert.deepEqual(await readHistory(db, 'nowhere', 10), [])
})

test('balances are returned for the requested wallets that exist', async () => {
  for (const [walletId, cents] of [
    ['here', 5],
    ['there', 7],
    ['elsewhere', 9]
  ] as const) {
    await open(walletId)
    await book(walletId, 'earn', cents)
  }
  assert.deepEqual(
    await readBalances(db, ['here', 'there', 'nowhere']),
    new Map([
      ['here', 5],
      ['there', 7]
    ])
  )
  assert.deepEqual(await readBalances(db, []), new Map())
  assert.equal(await transact(db, (trx) => lockBalance(trx, 'there')), 7)
})

test('a movement is returned from the perspective of its wallet', async () => {
  await open('moved')
  await book('moved', 'earn', 300)
  const spent = await book('moved', 'spend', 120)
  await book('moved', 'spend', 30)
  assert.ok(spent.posted)
  assert.deepEqual(await readMovement(db, spent.transactionId), { amountCents: -120, balanceAfterCents: 180 })
})

test('a history contains only its wallet’s entries, newest first, and continues after the last page', async () => {
  await open('paged')
  await open('neighbour')
  const later = new Date('2026-06-14T19:00:00.000Z')
  const earned = await book('paged', 'earn', 300, { description: 'Top-up' })
  await book('neighbour', 'earn', 1)
  const spent = await book('paged', 'spend', 100, { description: 'A call' }, later)
  const last = await book('paged', 'adjustment', -50, { description: 'Set right' }, later)
  assert.ok(earned.posted && spent.posted && last.posted)
  const rows = [
    {
      transactionId: last.transactionId,
      type: 'adjustment',
      amountCents: -50,
      description: 'Set right',
      balanceAfterCents: 150,
      createdAt: later
    },
    {
      transactionId: spent.transactionId,
      type: 'spend',
      amountCents: -100,
      description: 'A call',
      balanceAfterCents: 200,
      createdAt: later
    },
    {
      transactionId: earned.transactionId,
      type: 'earn',
      amountCents: 300,
      description: 'Top-up',
      balanceAfterCents: 300,
      createdAt: now
    }
  ]
  assert.deepEqual(await readHistory(db, 'paged', 10), rows)
  assert.deepEqual(await readHistory(db, 'paged', 2), rows.slice(0, 2))
  assert.deepEqual(await readHistory(db, 'paged', 2, spent.transactionId), rows.slice(2))
})

test('a transfer moves credits between two wallets in one transaction, and only a transfer does', async () => {
  await open('from')
  await open('to')
  await book('from', 'earn', 100)
  const moved = await book('from', 'transfer', 60, { toWalletId: 'to', reference: 'transfer:1' })
  assert.deepEqual([moved.posted, moved.balanceCents, await balanceOf('to')], [true, 40, 60])
  const again = await book('from', 'transfer', 60, { toWalletId: 'to', reference: 'transfer:1' })
  assert.deepEqual([again.posted && again.repeated, await balanceOf('from')], [true, 40])
  assert.deepEqual(await book('from', 'transfer', 41, { toWalletId: 'to' }), { posted: false, balanceCents: 40 })
  const [paid] = await readHistory(db, 'from', 1)
  const [received] = await readHistory(db, 'to', 1)
  assert.deepEqual([paid?.amountCents, received?.amountCents, paid?.transactionId], [-60, 60, received?.transactionId])
  const refused = { code: '23514' }
  await assert.rejects(book('from', 'transfer', 1), refused, 'without another wallet')
  await assert.rejects(book('from', 'transfer', 1, { toWalletId: 'from' }), refused, 'to itself')
  await assert.rejects(book('from', 'spend', 1, { toWalletId: 'to' }), refused, 'of another type')
  await assert.rejects(book('from', 'transfer', 1, { toWalletId: 'nowhere' }), { code: '23503' })
  assert.deepEqual([await balanceOf('from'), await balanceOf('to')], [40, 60])
})
