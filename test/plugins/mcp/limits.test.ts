import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { sql } from 'kysely'
import { test } from 'tap'
import { rateLimits } from '../../../spec/generated/index.ts'
import type { Cleaner } from '../../build-app.ts'
import { createPartner, send, type Answered } from '../../credentials.ts'
import { openWorld } from '../../modules/agents/world.ts'

const message = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params })
const toolCall = (name: string, given: object) => message('tools/call', { name, arguments: given })

const three = { limit: 3, windowSeconds: 60 }

/** A server that allows three requests a minute. Returns a function that creates a partner and its sender. */
const openLimited = async (t: Cleaner): Promise<() => Promise<(body: unknown) => Promise<Answered>>> => {
  const { url, database } = await openWorld(t, { rateLimits: { ...rateLimits, standard: three, read: three } })
  return async () => {
    const { testKey } = await createPartner(database)
    return (body) =>
      send(url, 'POST', '/mcp', { key: testKey, body, headers: { accept: 'application/json, text/event-stream' } })
  }
}

test("a tool call counts once against its operation's limit, and reports the rest of that limit", async (t) => {
  const post = await (await openLimited(t))()
  for (const left of ['2', '1', '0'])
    assert.equal((await post(toolCall('list_transfers', {}))).headers.get('x-ratelimit-remaining'), left)
  const { status, body } = await post(toolCall('list_transfers', {}))
  const problem = JSON.parse(body.result.content[0].text)
  assert.deepEqual([status, body.result.isError, problem.error], [200, true, 'rate_limited'])
  assert.ok(problem.retryAfterSeconds > 0)
  const other = await post(toolCall('list_events', {}))
  assert.deepEqual([other.body.result.isError, other.headers.get('ratelimit-policy')], [undefined, '"read";q=3;w=60'])
})

test('every message counts: other methods, calls that reach no operation, and each message of a batch', async (t) => {
  const newPartner = await openLimited(t)
  const free = [
    message('tools/list'),
    message('no/such/method'),
    toolCall('no_such_tool', {}),
    toolCall('get_transfer', {}),
    message('tools/call', { name: 1 }),
    '{"jsonrpc":'
  ]
  for (const body of free) {
    const post = await newPartner()
    for (const left of ['2', '1', '0'])
      assert.equal((await post(body)).headers.get('x-ratelimit-remaining'), left, JSON.stringify(body))
    const { status, body: problem } = await post(body)
    assert.deepEqual([status, problem.error], [429, 'rate_limited'], JSON.stringify(body))
  }
  const batches = [
    [message('ping'), message('ping'), message('ping'), message('ping')],
    [
      toolCall('list_transfers', {}),
      toolCall('no_such_tool', {}),
      toolCall('get_transfer', {}),
      toolCall('no_such_tool', {})
    ]
  ]
  for (const batch of [...batches, `\ufeff${JSON.stringify(batches[0])}`])
    assert.equal((await (await newPartner())(batch)).status, 429, JSON.stringify(batch))
})

test('a call in progress when the server closes gets its actual result', async (t) => {
  const world = await openWorld(t)
  const agentId = `agent-${randomUUID()}`
  const key = await world.fund(agentId, 100)
  const { db, driver } = world.database
  const arrived = once(world.app.server, 'request')
  const { answering: spending, closing } = await db.transaction().execute(async (trx) => {
    await world.app.ledger.lockBalance(trx, agentId)
    const spending = send(world.url, 'POST', '/mcp', {
      key,
      body: toolCall('spend_credits', { amount: 30, idempotency_key: randomUUID() }),
      headers: { accept: 'application/json, text/event-stream' }
    })
    await arrived
    const waits = async () =>
      (await sql<{ n: number }>`select count(*)::int as n from pg_locks where not granted`.execute(trx)).rows[0]?.n ?? 0
    // The embedded database has one connection, so the call waits for this transaction before it reaches the wallet.
    while (driver === 'postgresql' && (await waits()) === 0) await new Promise((next) => setImmediate(next))
    return { answering: spending, closing: world.app.close() }
  })
  const { body, headers } = await spending
  await closing
  assert.equal(headers.get('connection'), 'close')
  if (driver === 'postgresql') assert.equal(body.result.structuredContent.balance, 70)
  else
    assert.equal(
      JSON.parse(body.result.content[0].text).error ?? 'spent',
      body.result.isError === true ? 'unavailable' : 'spent'
    )
  assert.equal(await world.app.ledger.balance(db, agentId), body.result.isError === true ? 10_000 : 7_000)
})
