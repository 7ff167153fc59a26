import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { test } from 'tap'
import { openPostgres } from '../../../plugins/database/index.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { createPostgresDatabase, type Cleaner } from '../../build-app.ts'
import { until } from '../../machines/waiting.ts'

const serverUrl = process.env.TEST_DATABASE_URL ?? ''
const skip = serverUrl === '' && 'requires a PostgreSQL server: the embedded database has one connection'

/** Half of the connections are for transactions. */
const open = async (t: Cleaner, poolSize: number, options: { statementLimitMs?: number } = {}) => {
  const own = await createPostgresDatabase(serverUrl)
  const { db, connections, close } = openPostgres(own.url, poolSize, () => undefined, options)
  t.teardown(async () => {
    await close()
    await own.drop()
  })
  await sql`create table words (word text not null unique)`.execute(db)
  const words = async (): Promise<string[]> =>
    (await sql<{ word: string }>`select word from words order by word`.execute(db)).rows.map(({ word }) => word)
  return { db, words, active: () => connections?.().active }
}

const write = async (db: Db, word: string): Promise<void> =>
  void (await sql`insert into words (word) values (${word})`.execute(db))
const writeOn = async (db: Db, word: string): Promise<void> => {
  for (let n = 0; n < 10; n++) await write(db, `${word} ${n}`)
}

test('statements sent while their transaction rolls back have no effect', { skip }, async (t) => {
  const { db, words, active } = await open(t, 2)
  for (let round = 0; round < 20; round++) {
    const others: Promise<unknown>[] = []
    const attempt = transact(db, async (trx) => {
      others.push(Promise.allSettled([writeOn(trx, `${round}`)]))
      await write(trx, 'first')
      throw new Error('the effect fails')
    })
    await assert.rejects(attempt, { message: 'the effect fails' })
    await Promise.all(others)
  }
  assert.deepEqual([await words(), active()], [[], 0])
})

/** Delays the insertion of the word `slow`: at the commit of its transaction, or at once. */
const slowDown = async (db: Db, when: 'at commit' | 'at once', seconds: number): Promise<void> => {
  await sql`create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(${sql.lit(seconds)}); return new; end $$`.execute(
    db
  )
  await sql`create constraint trigger dawdle after insert on words deferrable ${sql.raw(when === 'at commit' ? 'initially deferred' : '')}
    for each row when (new.word = 'slow') execute function dawdle()`.execute(db)
}

/** Resolves when a statement with this beginning has been running for `forMs`. */
const underWay = async (db: Db, statement: string, forMs: number): Promise<void> => {
  const found = sql`select 1 from pg_stat_activity where datname = current_database() and state = 'active' and starts_with(query, ${statement})
    and clock_timestamp() - query_start > ${forMs} * interval '1 ms'`
  await until(`'${statement}' is running`, async () => (await found.execute(db)).rows.length === 1)
}

test('a statement sent while its transaction commits is rejected, and leaves nothing open', { skip }, async (t) => {
  const { db, words, active } = await open(t, 4)
  await slowDown(db, 'at commit', 2)
  const late: Promise<PromiseSettledResult<unknown>[]>[] = []
  await transact(db, async (trx) => {
    await write(trx, 'slow')
    late.push(Promise.allSettled([underWay(db, 'commit', 0).then(() => write(trx, 'late'))]))
  })
  const settled = await Promise.all(late)
  assert.deepEqual(
    settled.flat().map(({ status }) => status),
    ['rejected']
  )
  assert.deepEqual([await words(), active()], [['slow'], 0])
  const leftOpen = sql`select query from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`
  assert.deepEqual((await leftOpen.execute(db)).rows, [])
})

test('a connection whose commit timed out is not used for another transaction', { skip }, async (t) => {
  const limitMs = 2_000
  const { db, words } = await open(t, 2, { statementLimitMs: limitMs })
  await slowDown(db, 'at commit', 10)
  const slow = assert.rejects(
    transact(db, (trx) => write(trx, 'slow')),
    /timeout/
  )
  await underWay(db, 'commit', limitMs / 2)
  await transact(db, (trx) => write(trx, 'next'))
  await slow
  assert.ok((await words()).includes('next'))
})
