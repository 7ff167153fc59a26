import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { createGroupedTransactions } from '../../../plugins/database/grouped-transactions.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { isAnsweredMeanwhile } from '../../../plugins/operations/idempotency-keys.ts'
import { openTestDatabase, startApp } from '../../build-app.ts'

const write = prepared<{ text: string }>()((_db, place) => sql`insert into words (word) values (${place('text')})`)
const writeWithCommit = async (trx: Trx, text: string): Promise<void> => await write.withCommit(trx, { text })

const prepare = async (db: Db) => {
  await sql`create table words (position bigint generated always as identity, word text not null unique)`.execute(db)
  return async (): Promise<string[]> =>
    (await sql<{ word: string }>`select word from words order by position`.execute(db)).rows.map(({ word }) => word)
}

test('statements sent together with their commit', async (t) => {
  const { db } = await openTestDatabase(t)
  const words = await prepare(db)

  await t.test('run in their order, after all other statements of the transaction', async () => {
    await transact(db, async (trx) => {
      await writeWithCommit(trx, 'second')
      await writeWithCommit(trx, 'third')
      await write(trx, { text: 'first' })
    })
    await transact(db, async (trx) => await writeWithCommit(trx, 'alone'))
    assert.deepEqual(await words(), ['first', 'second', 'third', 'alone'])
  })

  await t.test('roll back the whole transaction when they fail, with their own error', async () => {
    const before = await words()
    const last = transact(db, async (trx) => {
      await write(trx, { text: 'undone' })
      await writeWithCommit(trx, 'undone too')
      await writeWithCommit(trx, 'alone')
    })
    await assert.rejects(last, { code: '23505' })
    assert.deepEqual(await words(), before)
  })

  await t.test('are not run when the work fails', async () => {
    const before = await words()
    const attempt = transact(db, async (trx) => {
      await writeWithCommit(trx, 'never')
      throw new Error('the effect fails')
    })
    await assert.rejects(attempt, { message: 'the effect fails' })
    assert.deepEqual(await words(), before)
  })

  await t.test('run in their own transaction, however many run concurrently', async () => {
    const texts = Array.from({ length: 40 }, (_, n) => `call ${n}`)
    await Promise.all(texts.map((text) => transact(db, async (trx) => await writeWithCommit(trx, text))))
    assert.deepEqual((await words()).filter((word) => word.startsWith('call')).sort(), texts.sort())
  })
})

test('a transaction that ignored the failure of a statement rejects instead of reporting a commit', async (t) => {
  const { db } = await openTestDatabase(t)
  const words = await prepare(db)
  await write(db, { text: 'taken' })
  const attempt = transact(db, async (trx) => {
    await write(trx, { text: 'lost' })
    await write(trx, { text: 'taken' }).catch(() => undefined)
  })
  await assert.rejects(attempt)
  assert.deepEqual(await words(), ['taken'])
})

test('concurrent units of work', async (t) => {
  const { db } = await openTestDatabase(t)
  const words = await prepare(db)
  const run = createGroupedTransactions(db)
  const unit = (text: string, more: (trx: Trx) => Promise<void> = async () => undefined) =>
    run(async (trx) => {
      await write(trx, { text })
      await more(trx)
      return text
    })

  await t.test('all complete, each with its own result', async () => {
    const texts = Array.from({ length: 100 }, (_, n) => `unit ${n}`)
    assert.deepEqual(await Promise.all(texts.map((text) => unit(text))), texts)
    assert.deepEqual((await words()).sort(), texts.sort())
  })

  for (const [how, fail, expected] of [
    ['throws', async () => assert.fail('the effect fails'), /the effect fails/],
    ['has a failing statement', (trx: Trx) => writeWithCommit(trx, 'unit 1'), { code: '23505' }]
  ] as const) {
    await t.test(`are not affected by one that ${how}, which leaves nothing behind`, async () => {
      const names = ['a', 'b', 'c', 'd'].map((name) => `${name} beside one that ${how}`)
      const wrong = unit(`one that ${how}`, fail)
      const done = await Promise.all([...names.map((name) => unit(name)), assert.rejects(wrong, expected)])
      assert.deepEqual(done.slice(0, -1), names)
      const found = await words()
      assert.ok(names.every((name) => found.includes(name)))
      assert.ok(!found.includes(`one that ${how}`))
    })
  }
})

test('of two effects with one key the second is rolled back, until the key is 24 hours old', async (t) => {
  const { app, database, clock } = await startApp(t)
  const { db } = database
  const words = await prepare(db)
  const claim = {
    tenant: 'tenant',
    environment: 'test' as const,
    key: 'key',
    operationId: 'operation',
    targetHash: Buffer.alloc(32),
    bodyHash: Buffer.alloc(32)
  }
  const effect = (text: string) =>
    transact(db, async (trx) => {
      await write(trx, { text })
      await app.idempotency.store(trx, claim, 200, `{"text":"${text}"}`)
    })
  await effect('first')
  await assert.rejects(effect('second'), isAnsweredMeanwhile)
  assert.equal((await app.idempotency.find(claim.tenant, claim.key))?.text, '{"text":"first"}')
  clock.advance(24 * 3_600_000)
  await effect('third')
  assert.equal((await app.idempotency.find(claim.tenant, claim.key))?.text, '{"text":"third"}')
  assert.deepEqual(await words(), ['first', 'third'])
})
