import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { openPostgres } from '../../../plugins/database/index.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { isAnsweredMeanwhile } from '../../../plugins/operations/idempotency.ts'
import { createPostgresDatabase, openTestDatabase, startApp } from '../../build-app.ts'
import { statementsOf } from '../../statements.ts'

const write = prepared<{ text: string }>()((_db, place) => sql`insert into words (word) values (${place('text')})`)
const writeLast = prepared<{ text: string }>()(
  (_db, place) => sql`insert into words (word) values (${place('text')})`,
  { withCommit: true }
)

const writeAlone = prepared<{ text: string }>()(
  (_db, place) => sql<{ position: number }>`insert into words (word) values (${place('text')}) returning position`,
  { wholeTransaction: true }
)

const prepare = async (db: Db) => {
  await sql`create table words (position bigint generated always as identity, word text not null unique)`.execute(db)
  return async (): Promise<string[]> =>
    (await sql<{ word: string }>`select word from words order by position`.execute(db)).rows.map(({ word }) => word)
}

test('the last words of a transaction', async (t) => {
  const { db } = await openTestDatabase(t)
  const words = await prepare(db)

  await t.test('are there when it has committed, in their order, with all else that it said', async () => {
    await transact(db, async (trx) => {
      await writeLast(trx, { text: 'second' })
      await writeLast(trx, { text: 'third' })
      await write(trx, { text: 'first' })
    })
    const said = await words()
    assert.deepEqual(
      said.filter((word) => word !== 'first'),
      ['second', 'third']
    )
    assert.ok(said.includes('first'))
  })

  await t.test('are all that it says, where it says nothing else', async () => {
    await transact(db, (trx) => writeLast(trx, { text: 'alone' }))
    await transact(db, async (trx) => {
      await writeLast(trx, { text: 'one of two' })
      await writeLast(trx, { text: 'two of two' })
    })
    assert.deepEqual((await words()).slice(-3), ['alone', 'one of two', 'two of two'])
  })

  await t.test('undo all of it when they fail, and are its error', async () => {
    const before = await words()
    const attempt = transact(db, async (trx) => {
      await write(trx, { text: 'undone' })
      await writeLast(trx, { text: 'undone too' })
      await writeLast(trx, { text: 'alone' })
    })
    await assert.rejects(attempt, { code: '23505' })
    await assert.rejects(
      transact(db, (trx) => writeLast(trx, { text: 'alone' })),
      { code: '23505' }
    )
    assert.deepEqual(await words(), before)
  })

  await t.test('are not said when it fails before', async () => {
    const before = await words()
    const attempt = transact(db, async (trx) => {
      await writeLast(trx, { text: 'never' })
      throw new Error('the effect fails')
    })
    await assert.rejects(attempt, { message: 'the effect fails' })
    assert.deepEqual(await words(), before)
  })

  await t.test('are each call’s own, however many calls there are at once', async () => {
    const texts = Array.from({ length: 40 }, (_, n) => `call ${n}`)
    await Promise.all(texts.map((text) => transact(db, (trx) => writeLast(trx, { text }))))
    assert.deepEqual((await words()).filter((word) => word.startsWith('call')).sort(), texts.sort())
  })
})

const serverUrl = process.env.TEST_DATABASE_URL ?? ''

test(
  'a transaction that says nothing, or one thing, takes no connection of its own',
  { skip: serverUrl === '' && 'needs a PostgreSQL server' },
  async (t) => {
    const own = await createPostgresDatabase(serverUrl)
    const { db, connections, close } = openPostgres(own.url, 4, () => undefined)
    t.teardown(async () => {
      await close()
      await own.drop()
    })
    await prepare(db)
    assert.equal(await transact(db, () => Promise.resolve('nothing to say')), 'nothing to say')
    await transact(db, (trx) => writeLast(trx, { text: 'alone' }))
    assert.deepEqual([connections?.().active, connections?.().idle], [0, 0])
    await transact(db, (trx) => write(trx, { text: 'not alone' }))
    assert.deepEqual([connections?.().active, connections?.().idle], [0, 1])
  }
)

test('a statement that is a whole transaction', async (t) => {
  const { db } = await openTestDatabase(t)
  const words = await prepare(db)

  await t.test('is done when it is answered, with its rows', async () => {
    const attempt = transact(db, async (trx) => {
      assert.deepEqual(await writeAlone(trx, { text: 'done' }), [{ position: 1 }])
    })
    await attempt
    assert.deepEqual(await words(), ['done'])
  })

  await t.test('leaves nothing when the database refuses it, and its connection to the next', async () => {
    await assert.rejects(
      transact(db, (trx) => writeAlone(trx, { text: 'done' })),
      { code: '23505' }
    )
    await transact(db, (trx) => writeAlone(trx, { text: 'next' }))
    assert.deepEqual(await words(), ['done', 'next'])
  })
})

test(
  'a statement that is a whole transaction is sent alone, and nothing can be said before or after it',
  { skip: serverUrl === '' && 'needs a PostgreSQL server' },
  async (t) => {
    const own = await createPostgresDatabase(serverUrl)
    const { db, connections, close } = openPostgres(own.url, 5, () => undefined)
    t.teardown(async () => {
      await close()
      await own.drop()
    })
    const words = await prepare(db)
    const statements = await statementsOf(
      db,
      () => true,
      () => transact(db, (trx) => writeAlone(trx, { text: 'alone' }))
    )
    assert.equal(statements.length, 1, statements.join('; '))
    const before = transact(db, async (trx) => {
      await write(trx, { text: 'before' })
      await writeAlone(trx, { text: 'too late' })
    })
    await assert.rejects(before, /too late/)
    const after = transact(db, async (trx) => {
      await writeAlone(trx, { text: 'whole' })
      await write(trx, { text: 'after' })
    })
    await assert.rejects(after, /nothing more can be said/)
    assert.deepEqual(await words(), ['alone', 'whole'])
    assert.deepEqual([connections?.().active, connections?.().idle], [0, 1])
  }
)

test('of two effects under one key the second to commit is undone, until the key is 24 hours old', async (t) => {
  const { app, database, clock } = await startApp(t)
  const { db } = database
  const words = await prepare(db)
  const claim = { tenant: 'tenant', key: 'key', operationId: 'operation', bodyHash: Buffer.alloc(32) }
  const effect = (text: string) =>
    transact(db, async (trx) => {
      await write(trx, { text })
      await app.idempotency.store(trx, claim, 200, `{"text":"${text}"}`)
    })
  await effect('first')
  await assert.rejects(effect('second'), isAnsweredMeanwhile)
  assert.equal((await app.idempotency.find(db, claim.tenant, claim.key))?.text, '{"text":"first"}')
  clock.advance(24 * 3_600_000)
  await effect('third')
  assert.equal((await app.idempotency.find(db, claim.tenant, claim.key))?.text, '{"text":"third"}')
  assert.deepEqual(await words(), ['first', 'third'])
})
