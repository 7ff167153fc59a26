import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeEach, t, test } from 'tap'
import { legSteps, type LegStatus } from '../../../modules/payments/leg-states.ts'
import { insertLeg, setLegStatus } from '../../../modules/payments/queries/legs.ts'
import { insertEvent, readTransfer } from '../../../modules/payments/queries/transfers.ts'
import { transferSteps, type TransferState } from '../../../modules/payments/transfer-states.ts'
import { newId } from '../../../plugins/ids.ts'
import { openTestDatabase } from '../../build-app.ts'
import { createPartner } from '../../credentials.ts'
import { search } from '../../search.ts'

const database = await openTestDatabase(t)
const { db } = database
const { partnerId } = await createPartner(database)
const now = new Date('2026-06-14T18:00:00Z')

const prepare = (accountId = 'acc_from', cents = 1_000) =>
  db.transaction().execute(async (trx) => {
    const transferId = newId('tfr')
    await trx
      .insertInto('transfers')
      .values({
        id: transferId,
        partner_id: partnerId,
        environment: 'test',
        request_key: null,
        user_id: 'usr',
        from_account_id: accountId,
        to_account_id: 'acc_to',
        amount_cents: cents,
        currency: 'USD',
        memo: null,
        legal_name: null,
        credit_rail: 'ach',
        created_at: now,
        touched_at: now
      })
      .execute()
    await insertLeg(trx, { transferId, amountCents: cents, kind: 'debit', network: 'ach' }, now)
    return transferId
  })

const hold = async (transferId: string, accountId: string, cents: number, availableCents: number) => {
  await sql`insert into account_funds (account_id, held_cents) values (${accountId}, 0) on conflict do nothing`.execute(
    db
  )
  await sql`insert into transfer_holds (transfer_id, account_id, amount_cents, available_cents, created_at)
    values (${transferId}, ${accountId}, ${cents}, ${availableCents}, ${now})`.execute(db)
}

const append = (id: string, state: TransferState) =>
  db.transaction().execute((trx) => insertEvent(trx, id, state, null, now))
const refuses = async (work: () => Promise<unknown>) => await assert.rejects(work, { code: '23514' })

let id = ''
beforeEach(async () => {
  id = await prepare()
})

test('the database rejects every illegal step, after any sequence of events', async () => {
  const states = Object.keys(transferSteps) as TransferState[]
  await fc.assert(
    fc.asyncProperty(fc.array(fc.constantFrom(...states), { maxLength: 10 }), async (wanted) => {
      const transferId = await prepare()
      let state: TransferState | undefined
      for (const next of wanted) {
        const legal = state === undefined ? next === 'submitted' : transferSteps[state].includes(next)
        if (legal) await append(transferId, (state = next))
        else await refuses(() => append(transferId, next))
        assert.equal((await readTransfer(db, transferId))?.state, state ?? 'preparing')
      }
    }),
    search(30)
  )
})

test('the history cannot be changed, and only its events change a transfer’s state', async () => {
  await append(id, 'submitted')
  await refuses(() => sql`update transfer_events set reason = 'other' where transfer_id = ${id}`.execute(db))
  await refuses(() => sql`delete from transfer_events where transfer_id = ${id}`.execute(db))
  await refuses(() => sql`update transfers set state = 'settled' where id = ${id}`.execute(db))
  await refuses(() => sql`update transfers set amount_cents = 1 where id = ${id}`.execute(db))
  await refuses(() => sql`delete from transfers where id = ${id}`.execute(db))
  await refuses(() =>
    sql`insert into transfer_events (transfer_id, sequence, state, created_at) values (${id}, 3, 'pending', ${now})`.execute(
      db
    )
  )
})

test('an abandoned preparation can be deleted with its leg and its hold', async () => {
  await hold(id, 'acc_from', 1_000, 1_000)
  await sql`delete from transfers where id = ${id}`.execute(db)
  const { held_cents } = await db
    .selectFrom('account_funds')
    .select('held_cents')
    .where('account_id', '=', 'acc_from')
    .executeTakeFirstOrThrow()
  assert.equal(held_cents, 0)
})

test('no payment steps back, and none goes out before its debit has settled', async () => {
  const leg = (kind: 'credit' | 'refund') =>
    db.transaction().execute((trx) => insertLeg(trx, { transferId: id, amountCents: 1_000, kind, network: 'ach' }, now))
  const { id: debit } = await db
    .selectFrom('transfer_legs')
    .select('id')
    .where('transfer_id', '=', id)
    .executeTakeFirstOrThrow()
  await sql`update transfer_legs set plaid_transfer_id = ${debit} where id = ${debit}`.execute(db)
  const move = (to: LegStatus) => db.transaction().execute((trx) => setLegStatus(trx, debit, to, null))
  for (const status of ['pending', 'posted'] as const) {
    await refuses(() => leg('credit'))
    await move(status)
  }
  await refuses(() => move('pending'))
  await move('settled')
  await leg('credit')
  await refuses(() => leg('refund'))
  await refuses(() => leg('credit'))
  assert(!legSteps.settled.includes('posted'))
})

test('holds cannot exceed the available balance, and a hold is released once', async () => {
  const account = newId('acc')
  const [first, second] = [await prepare(account, 6_000), await prepare(account, 6_000)]
  await hold(first, account, 6_000, 10_000)
  await refuses(() => hold(second, account, 6_000, 10_000))
  await append(first, 'submitted')
  await append(first, 'cancelled')
  await hold(second, account, 6_000, 10_000)
  await refuses(() => sql`update transfer_holds set released_at = null where transfer_id = ${first}`.execute(db))
})
