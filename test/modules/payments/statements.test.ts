import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { syncJob } from '../../../modules/payments/background.ts'
import { listLegs } from '../../../modules/payments/queries/legs.ts'
import { insertPreparation, submitPreparation } from '../../../modules/payments/queries/preparations.ts'
import { listEvents, readTransfer } from '../../../modules/payments/queries/transfers.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { newId } from '../../../plugins/ids.ts'
import { statementsOf } from '../../statements.ts'
import { simulatorOf, startWorld } from './world.ts'

const world = await startWorld(t)
const { db } = world.database

const tables =
  /\b(transfers|transfer_legs|transfer_events|account_funds|recipients|accounts|items|events|activity|idempotency_keys)\b/

/** The statements of requests only, without those of the simulator and of the event publisher. */
const sentFor = (work: () => Promise<unknown>): Promise<string[]> =>
  statementsOf(
    db,
    (text) => tables.test(text) && !/"simulators"|published_at|publish events|webhooks|credentials/.test(text),
    work
  )

/** Prepares a transfer in one statement. `itemIds` may contain unknown items. */
const prepare = async (accountId: string, itemIds: string[], cents: number, availableCents: number | null) => {
  const now = world.clock.now()
  const transfer = {
    id: newId('tfr'),
    partnerId: world.partner.partnerId,
    environment: 'test' as const,
    requestKey: newId('key'),
    userId: 'usr',
    fromAccountId: accountId,
    toAccountId: 'acc_to',
    amountCents: cents,
    currency: 'USD' as const,
    memo: null,
    legalName: null,
    creditRail: 'ach' as const,
    createdAt: now,
    touchedAt: now
  }
  return await transact(db, (trx) => insertPreparation(trx, { transfer, debitNetwork: 'ach', itemIds, availableCents }))
}

const preparedBy = async (...given: Parameters<typeof prepare>) => {
  const result = await prepare(...given)
  assert(result.outcome === 'prepared', result.outcome)
  return result
}

const submit = (transferId: string, clearsRequestKey: boolean) =>
  transact(db, (trx) =>
    submitPreparation(trx, {
      transferId,
      plaidTransferId: `at Plaid ${transferId}`,
      clearsRequestKey,
      now: world.clock.now()
    })
  )

const heldOf = async (accountId: string) =>
  (await db.selectFrom('account_funds').select('held_cents').where('account_id', '=', accountId).executeTakeFirst())
    ?.held_cents

test('a keyed transfer takes eleven statements', async () => {
  const [{ checking }, recipient] = [await world.link(), await world.recipient()]
  await simulatorOf(world).settled()
  const body = { from_account_id: checking, to_account_id: recipient, amount: 1 }
  // Keeps the sync out of the count: Plaid's webhook triggers it at once, but it is not part of the request.
  const release = await world.database.locks.tryAcquire(`job ${syncJob}`)
  const statements = await sentFor(() => world.post('/v1/transfers', body, undefined, { 'idempotency-key': 'counted' }))
  await release?.()
  assert.equal(statements.length, 11, statements.join('\n\n'))
  assert.equal((await world.get('/v1/transfers')).body.transfers.length, 1)
})

test('balances of one item take two statements', async () => {
  await world.link('usr_balances')
  await simulatorOf(world).settled()
  const statements = await sentFor(() => world.get('/v1/accounts?user_id=usr_balances'))
  assert.equal(statements.length, 2, statements.join('\n\n'))
})

test('a preparation returns the stored transfer and debit, and holds the amount', async () => {
  const { itemId } = await world.link()
  const account = newId('acc')
  const { transfer, debit } = await preparedBy(account, [itemId], 600, 1_000)
  assert.deepEqual(await readTransfer(db, transfer.id), transfer)
  assert.deepEqual(await listLegs(db, transfer.id), [debit])
  const row = await db.selectFrom('transfers').selectAll().where('id', '=', transfer.id).executeTakeFirstOrThrow()
  assert.deepEqual(Object.values(transfer).map(String).sort(), Object.values(row).map(String).sort())
  assert.deepEqual([debit.kind, debit.status, debit.amountCents, await heldOf(account)], ['debit', 'wanted', 600, 600])
})

test('a preparation without enough funds, or with a deleted or departing item, stores nothing', async () => {
  const { itemId } = await world.link()
  const account = newId('acc')
  await preparedBy(account, [itemId], 600, 1_000)
  assert.deepEqual(await prepare(account, [itemId], 401, 1_000), { outcome: 'insufficient', leftCents: 400 })
  const untouched = newId('acc')
  assert.deepEqual(await prepare(untouched, [itemId, 'itm_gone'], 1, null), { outcome: 'unlinked' })
  await sql`update items set removal_began_at = ${world.clock.now()} where id = ${itemId}`.execute(db)
  assert.deepEqual(await prepare(untouched, [itemId], 1, null), { outcome: 'unlinked' })
  assert.deepEqual([await heldOf(account), await heldOf(untouched)], [600, undefined])
  assert.equal(
    (await db.selectFrom('transfers').select('id').where('from_account_id', 'in', [account, untouched]).execute())
      .length,
    1
  )
})

test('a transfer between two accounts of one item can be prepared without a known balance', async () => {
  const { itemId } = await world.link()
  await preparedBy(newId('acc'), [itemId, itemId], 1_000_000, null)
})

test('concurrent preparations never hold more than the balance, even for a new account', async () => {
  const { itemId } = await world.link()
  const account = newId('acc')
  const results = await Promise.all(Array.from({ length: 20 }, () => prepare(account, [itemId], 300, 1_000)))
  assert.equal(results.filter(({ outcome }) => outcome === 'prepared').length, 3)
  assert.equal(await heldOf(account), 900)
})

test('concurrent submissions of one transfer write one event, and keep the request key unless told not to', async () => {
  const { itemId } = await world.link()
  const { transfer } = await preparedBy(newId('acc'), [itemId], 100, null)
  const written = await Promise.all(Array.from({ length: 8 }, () => submit(transfer.id, false)))
  assert.equal(written.filter((submitted) => submitted !== undefined).length, 1)
  const row = await db.selectFrom('transfers').selectAll().where('id', '=', transfer.id).executeTakeFirstOrThrow()
  assert.deepEqual([row.state, row.last_sequence, row.request_key], ['submitted', 1, transfer.requestKey])
  const other = await preparedBy(newId('acc'), [itemId], 100, null)
  const submitted = await submit(other.transfer.id, true)
  assert.deepEqual(submitted?.transfer, await readTransfer(db, other.transfer.id))
  assert.deepEqual([submitted?.event], await listEvents(db, other.transfer.id))
  assert.deepEqual([submitted?.transfer.requestKey, submitted?.hasNews], [null, false])
})

test(
  'neither a transfer nor a balance waits for a running sync of the item',
  { skip: world.database.driver === 'embedded' && 'an embedded database has one connection' },
  async () => {
    const { itemId, checking, savings } = await world.link('usr_syncing')
    await db.transaction().execute(async (trx) => {
      await trx.updateTable('items').set({ syncs_wanted: 2 }).where('id', '=', itemId).execute()
      await world.transfer({ from_account_id: checking, to_account_id: savings, amount: 1 })
      assert.equal((await world.get('/v1/accounts?user_id=usr_syncing')).body.accounts[0].stale, false)
    })
  }
)
