import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { before, t, test } from 'tap'
import { spend } from '../../../modules/agents/queries/spends.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { targetHashOf } from '../../../plugins/operations/idempotency.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { until } from '../../machines/waiting.ts'
import { statementsOf as statementsSent } from '../../statements.ts'
import { openWorld, type World } from './world.ts'

let world: World

before(async () => {
  world = await openWorld(t)
})

const keyed = (key: string) => ({ 'idempotency-key': key })

/** The statements that a piece of work sends to the tables of a spend. */
const statementsOf = async (work: () => Promise<unknown>): Promise<string[]> =>
  await statementsSent(
    world.database.db,
    (text) =>
      /agent_spend|credentials|idempotency_keys|activity|events/.test(text) &&
      !/published_at|sequence|publish.events|webhooks/.test(text),
    work
  )

test('spends of one transaction that come in the same turn share a statement', async () => {
  for (const agentId of ['crowd-a', 'crowd-b']) await world.fund(agentId, 100)
  const { db } = world.database
  const now = world.clock.now()
  const wish = { amountCents: 100, description: 'A call', requireApproval: false, itemName: null, url: null }
  const outcomes: string[] = []
  const statements = await statementsOf(() =>
    transact(db, async (trx) => {
      const agents = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 'crowd-b' : 'crowd-a'))
      const spent = await Promise.all(agents.map((agentId) => spend(trx, { ...wish, agentId }, now, now)))
      outcomes.push(...spent.map(({ outcome }) => outcome))
    })
  )
  assert.deepEqual(new Set(outcomes), new Set(['posted']))
  assert.deepEqual([await world.balance('crowd-a'), await world.balance('crowd-b')], [87, 93])
  assert.equal(statements.filter((text) => text.includes('agent_spend')).length, 1)
})

test('a keyed spend writes its event and its activity row', async () => {
  const key = await world.fund('one-trip', 100)
  await world.as(key, 'POST', '/api/spend', { amount: 1 })
  await world.as(key, 'POST', '/api/spend', { amount: 2, description: 'A call' }, keyed('trip-1'))
  assert.equal(await world.balance('one-trip'), 97)
  const { db } = world.database
  const event = await db
    .selectFrom('events')
    .select(['data'])
    .where('type', '=', 'agent.spend')
    .orderBy('position', 'desc')
    .executeTakeFirstOrThrow()
  const activity = await db
    .selectFrom('activity')
    .selectAll()
    .where('actor_id', '=', 'one-trip')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  assert.deepEqual(event.data, {
    agent_id: 'one-trip',
    transaction_id: Number(activity.resource_id),
    amount: 2,
    balance: 97,
    description: 'A call'
  })
  assert.deepEqual(
    [activity.operation_id, activity.method, activity.route, activity.actor_type, activity.partner_id],
    ['spendCredits', 'POST', '/api/spend', 'agent', world.owner.partnerId]
  )
})

test('a repeated key replays the first spend byte for byte, whatever was spent since', async () => {
  const key = await world.fund('replayed', 100)
  const first = await world.as(key, 'POST', '/api/spend', { amount: 12.34 }, keyed('r'))
  await world.as(key, 'POST', '/api/spend', { amount: 50 })
  const again = await world.as(key, 'POST', '/api/spend', { amount: 12.34 }, keyed('r'))
  const other = await world.as(key, 'POST', '/api/spend', { amount: 99, require_approval: true }, keyed('r'))
  assert.equal(again.text, first.text)
  assert.equal(again.headers.get('idempotent-replayed'), 'true')
  assert.equal(again.headers.get('idempotency-mismatch'), null)
  assert.equal(other.text, first.text)
  assert.equal(other.headers.get('idempotency-mismatch'), 'body')
  const asked = await world.as(key, 'GET', '/v1/idempotency/r')
  assert.deepEqual(asked.body.response, first.body)
  const conflict = await world.as(key, 'POST', '/api/loans', { amount: 5 }, keyed('r'))
  assert.equal(conflict.body.title, 'idempotency_conflict')
  assert.equal(await world.balance('replayed'), 37.66)
})

test('of many spends at once each gets its own outcome: spent, too little, paused, over a limit, voided', async () => {
  const [rich, poor, paused, limited, voided] = await Promise.all([
    world.fund('rich', 100),
    world.fund('poor', 1),
    world.fund('paused', 100),
    world.fund('limited', 100),
    world.fund('voided', 100)
  ])
  for (const key of [rich, poor, paused, limited, voided]) await world.as(key, 'POST', '/api/spend', { amount: 1 })
  await world.asOwner('POST', '/api/agents/paused/pause')
  await world.asOwner('POST', '/api/agents/limited/limits', { per_transaction_limit: 5 })
  await world.asOwner('POST', '/api/agents/voided/revoke', { confirm: true })
  const wishes = [rich, poor, paused, limited, voided].flatMap((key) =>
    Array.from({ length: 8 }, (_, i) => world.as(key, 'POST', '/api/spend', { amount: 10 }, keyed(`m${i}`)))
  )
  const answers = await Promise.all(wishes)
  const outcomes = (from: number) =>
    answers
      .slice(from, from + 8)
      .map(({ status, body }) => `${status} ${body.error ?? (body.ok === true ? 'spent' : 'pending')}`)
  assert.deepEqual(new Set(outcomes(0)), new Set(['200 spent']))
  assert.deepEqual(new Set(outcomes(8)), new Set(['402 insufficient_balance']))
  assert.deepEqual(new Set(outcomes(16)), new Set(['403 agent_paused']))
  assert.deepEqual(new Set(outcomes(24)), new Set(['200 pending']))
  assert.deepEqual(new Set(outcomes(32)), new Set(['401 unauthorized']))
  assert.equal(await world.balance('rich'), 19)
  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})

test('a key that is revoked is refused at once, also by a server that knew it a moment ago', async () => {
  const key = await world.fund('gone', 100)
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1 })).status, 200)
  await world.asOwner('POST', '/api/agents/gone/revoke', { confirm: true })
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1 }, keyed('late'))).status, 401)
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1, require_approval: true })).status, 401)
  assert.equal(await world.balance('gone'), 99)
})

test('one spend that the database refuses fails none of those that were collected with it', async () => {
  const [broken, sound] = await Promise.all([world.fund('broken', 100), world.fund('sound', 100)])
  await world.as(sound, 'POST', '/api/spend', { amount: 1 })
  // An agent that the database cannot spend for: its day's sum is about to leave the range of a bigint.
  await world.database.db
    .updateTable('agents')
    .set({ spent_on: '2026-06-14', spent_cents: '9223372036854775807' as unknown as number })
    .where('agent_id', '=', 'broken')
    .execute()
  const answers = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      world.as(i === 11 ? broken : sound, 'POST', '/api/spend', { amount: 1 }, keyed(`refused-${i}`))
    )
  )
  assert.deepEqual(
    answers.map(({ status }) => status),
    answers.map((_, i) => (i === 11 ? 500 : 200))
  )
  assert.equal(await world.balance('sound'), 70)
  assert.equal(await world.app.ledger.balance(world.database.db, 'broken'), 10_000)
})

test('40 requests with one key on two servers make one spend, and every success has the same body', async (t) => {
  const other =
    world.database.driver === 'embedded'
      ? undefined
      : await openWorld(t, {
          database: world.database,
          clock: world.clock,
          env: { ATLAS_DATA_DIR: world.config.dataDir }
        })
  const key = await world.fund('raced', 100)
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 || other === undefined ? world : other).as(key, 'POST', '/api/spend', { amount: 7 }, keyed('race'))
    )
  )
  const succeeded = answers.filter(({ status }) => status === 200)
  assert.ok(succeeded.length > 0)
  assert.equal(new Set(succeeded.map(({ text }) => text)).size, 1)
  for (const { status, body } of answers)
    assert.ok(status === 200 || body.title === 'idempotency_in_flight', `${status} ${body.title}`)
  assert.equal(await world.balance('raced'), 93)
})

test('a description the database cannot store is refused before batching, and splits no other statement', async () => {
  const key = await world.fund('unstorable', 100)
  const statements = await statementsOf(async () => {
    for (const description of ['a\0b', 'half \ud800']) {
      const { status, body } = await world.as(key, 'POST', '/api/spend', { amount: 1, description })
      assert.deepEqual(
        [status, (body.errors as { path: string }[]).map(({ path }) => path)],
        [400, ['body/description']]
      )
    }
  })
  assert.deepEqual(
    statements.filter((text) => text.includes('agent_spend')),
    []
  )
})

test('a spend whose key is answered while it waits for its agent hears that answer, and spends nothing', async (t) => {
  const { app, database } = world
  if (database.driver === 'embedded')
    return t.plan(0, 'an embedded database has one connection, on which nobody waits for a row')
  const key = await world.fund('overtaken', 100)
  await world.as(key, 'POST', '/api/spend', { amount: 1 })
  // The first request of the key, whose advisory lock went with the connection that held it while its transaction lived on.
  const claim = {
    tenant: 'agent:overtaken',
    environment: 'live' as const,
    key: 'overtaken',
    operationId: 'spendCredits',
    targetHash: targetHashOf('spendCredits', {}, {}),
    bodyHash: Buffer.alloc(32)
  }
  const text = '{"ok":true,"spent":2,"balance":97,"transaction_id":1}'
  const answered = await database.db.transaction().execute(async (trx) => {
    await trx.selectFrom('agents').select('agent_id').where('agent_id', '=', 'overtaken').forNoKeyUpdate().execute()
    await app.idempotency.store(trx, claim, 200, text)
    const asked = world.as(key, 'POST', '/api/spend', { amount: 2 }, keyed('overtaken'))
    await until('the spend waits for its agent', async () => {
      const { rows } =
        await sql`select 1 from pg_locks l join pg_stat_activity a using (pid) where a.datname = current_database() and not l.granted`.execute(
          trx
        )
      return rows.length > 0
    })
    return { asked }
  })
  const { status, text: heard } = await answered.asked
  assert.deepEqual([status, heard], [200, text])
  assert.equal(await world.balance('overtaken'), 99)
})

test('what an agent asks for right after it was claimed is in the activity of its owner', async () => {
  const { body } = await world.as(undefined, 'POST', '/api/register', { agent_id: 'foundling' })
  const key = String(body.api_key)
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1 })).status, 402)
  await world.asOwner('POST', '/api/register', { agent_id: 'foundling', api_key: key })
  await world.as(key, 'POST', '/api/spend', { amount: 1, require_approval: true })
  const activity = await world.database.db
    .selectFrom('activity')
    .selectAll()
    .where('actor_id', '=', 'foundling')
    .orderBy('id', 'desc')
    .executeTakeFirstOrThrow()
  assert.deepEqual([activity.operation_id, activity.partner_id], ['spendCredits', world.owner.partnerId])
})

test('a spend of the day before that comes late does not give the new day its limit a second time', async () => {
  await world.fund('midnight', 100)
  await world.asOwner('POST', '/api/agents/midnight/limits', { daily_limit: 10 })
  const spendAt = async (at: string, cents: number): Promise<string> => {
    const { rows } = await sql<{
      outcome: string
    }>`select outcome from agent_spend('midnight', ${cents}::bigint, 'Call', false, null, null, ${at}::timestamptz, ${at}::timestamptz + interval '1 day')`.execute(
      world.database.db
    )
    return String(rows[0]?.outcome)
  }
  assert.equal(await spendAt('2026-06-15T00:00:00.001Z', 900), 'posted')
  assert.equal(await spendAt('2026-06-14T23:59:59.999Z', 100), 'posted')
  assert.equal(await spendAt('2026-06-15T00:00:00.002Z', 900), 'pending')
  assert.equal(await spendAt('2026-06-16T00:00:00.000Z', 900), 'posted')
})
