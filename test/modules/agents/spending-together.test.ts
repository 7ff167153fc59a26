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

/** The statements that `work` sends to the tables of a spend. */
const statementsOf = async (work: () => Promise<unknown>): Promise<string[]> =>
  await statementsSent(
    world.database.db,
    (text) =>
      /agent_spend|credentials|idempotency_keys|activity|events/.test(text) &&
      !/published_at|sequence|publish.events|webhooks/.test(text),
    work
  )

test('spends of one transaction in the same turn of the event loop share a statement', async () => {
  for (const agentId of ['crowd-a', 'crowd-b']) await world.fund(agentId, 100)
  const { db } = world.database
  const now = world.clock.now()
  const spendOptions = { amountCents: 100, description: 'A call', requireApproval: false, itemName: null, url: null }
  const outcomes: string[] = []
  const statements = await statementsOf(() =>
    transact(db, async (trx) => {
      const agents = Array.from({ length: 20 }, (_, i) => (i % 3 === 0 ? 'crowd-b' : 'crowd-a'))
      const spent = await Promise.all(agents.map((agentId) => spend(trx, { ...spendOptions, agentId }, now, now)))
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

test('a repeated key replays the first spend byte for byte, even after later spends', async () => {
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
  const lookup = await world.as(key, 'GET', '/v1/idempotency/r')
  assert.deepEqual(lookup.body.response, first.body)
  const conflict = await world.as(key, 'POST', '/api/loans', { amount: 5 }, keyed('r'))
  assert.equal(conflict.body.title, 'idempotency_conflict')
  assert.equal(await world.balance('replayed'), 37.66)
})

test('each concurrent spend gets its own outcome: spent, low balance, paused, over a limit, or revoked', async () => {
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
  const spends = [rich, poor, paused, limited, voided].flatMap((key) =>
    Array.from({ length: 8 }, (_, i) => world.as(key, 'POST', '/api/spend', { amount: 10 }, keyed(`m${i}`)))
  )
  const responses = await Promise.all(spends)
  const outcomes = (from: number) =>
    responses
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

test('a revoked key is rejected at once, even by a server that has just accepted it', async () => {
  const key = await world.fund('gone', 100)
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1 })).status, 200)
  await world.asOwner('POST', '/api/agents/gone/revoke', { confirm: true })
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1 }, keyed('late'))).status, 401)
  assert.equal((await world.as(key, 'POST', '/api/spend', { amount: 1, require_approval: true })).status, 401)
  assert.equal(await world.balance('gone'), 99)
})

test('a spend that fails in the database does not fail the others of its batch', async () => {
  const [broken, sound] = await Promise.all([world.fund('broken', 100), world.fund('sound', 100)])
  await world.as(sound, 'POST', '/api/spend', { amount: 1 })
  // Spends of this agent fail in the database: the sum of its day would exceed the range of a bigint.
  await world.database.db
    .updateTable('agents')
    .set({ spent_on: '2026-06-14', spent_cents: '9223372036854775807' as unknown as number })
    .where('agent_id', '=', 'broken')
    .execute()
  const responses = await Promise.all(
    Array.from({ length: 30 }, (_, i) =>
      world.as(i === 11 ? broken : sound, 'POST', '/api/spend', { amount: 1 }, keyed(`refused-${i}`))
    )
  )
  assert.deepEqual(
    responses.map(({ status }) => status),
    responses.map((_, i) => (i === 11 ? 500 : 200))
  )
  assert.equal(await world.balance('sound'), 70)
  assert.equal(await world.app.ledger.balance(world.database.db, 'broken'), 10_000)
})

test('40 requests with one key at two servers make one spend, and all successes have the same body', async (t) => {
  const other =
    world.database.driver === 'embedded'
      ? undefined
      : await openWorld(t, {
          database: world.database,
          clock: world.clock,
          env: { ATLAS_DATA_DIR: world.config.dataDir }
        })
  const key = await world.fund('raced', 100)
  const responses = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      (i % 2 === 0 || other === undefined ? world : other).as(key, 'POST', '/api/spend', { amount: 7 }, keyed('race'))
    )
  )
  const succeeded = responses.filter(({ status }) => status === 200)
  assert.ok(succeeded.length > 0)
  assert.equal(new Set(succeeded.map(({ text }) => text)).size, 1)
  for (const { status, body } of responses)
    assert.ok(status === 200 || body.title === 'idempotency_in_flight', `${status} ${body.title}`)
  assert.equal(await world.balance('raced'), 93)
})

test('a description that the database cannot store is rejected before it joins a batch', async () => {
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

test('a spend whose key gets a response while it waits for its agent replays it and spends nothing', async (t) => {
  const { app, database } = world
  if (database.driver === 'embedded')
    return t.plan(0, 'an embedded database has one connection, so no statement waits for a row')
  const key = await world.fund('overtaken', 100)
  await world.as(key, 'POST', '/api/spend', { amount: 1 })
  // The first request of the key. Its connection lost the advisory lock while its transaction continued.
  const claim = {
    tenant: 'agent:overtaken',
    environment: 'live' as const,
    key: 'overtaken',
    operationId: 'spendCredits',
    targetHash: targetHashOf('spendCredits', {}, {}),
    bodyHash: Buffer.alloc(32)
  }
  const text = '{"ok":true,"spent":2,"balance":97,"transaction_id":1}'
  const { pending } = await database.db.transaction().execute(async (trx) => {
    await trx.selectFrom('agents').select('agent_id').where('agent_id', '=', 'overtaken').forNoKeyUpdate().execute()
    await app.idempotency.store(trx, claim, 200, text)
    const pending = world.as(key, 'POST', '/api/spend', { amount: 2 }, keyed('overtaken'))
    await until('the spend waits for its agent', async () => {
      const { rows } =
        await sql`select 1 from pg_locks l join pg_stat_activity a using (pid) where a.datname = current_database() and not l.granted`.execute(
          // Outside the transaction, in which PostgreSQL would go on showing the sessions of the first look.
          database.db
        )
      return rows.length > 0
    })
    return { pending }
  })
  const { status, text: replayed } = await pending
  assert.deepEqual([status, replayed], [200, text])
  assert.equal(await world.balance('overtaken'), 99)
})

test('the owner’s activity contains the requests of an agent from its claim on', async () => {
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

test('a late spend of the previous day does not reset the daily limit of the new day', async () => {
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
