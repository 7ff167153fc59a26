import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Socket } from 'node:net'
import fc from 'fast-check'
import { test } from 'tap'
import { takeToken, type BucketState } from '../../../plugins/access/rate-limit/bucket.ts'
import { rateLimits } from '../../../spec/generated/index.ts'
import { startApp, type Cleaner } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { bindNotes, createNotesTable } from '../notes.ts'

const start = async (t: Cleaner, env: Record<string, string> = {}) => {
  const started = await startApp(t, { rateLimits, env, extend: (app) => bindNotes(app) })
  await createNotesTable.execute(started.database.db)
  return { ...started, partner: await createPartner(started.database) }
}

const post = (url: string, key: string) => send(url, 'POST', '/test/notes', { key, body: { text: 'a' } })

test('sixty requests a second pass, the next one is told when to come back', async (t) => {
  const { url, partner, clock } = await start(t)
  const answers = await Promise.all(Array.from({ length: 61 }, () => post(url, partner.testKey)))
  const refused = answers.filter(({ status }) => status === 429)
  assert.equal(refused.length, 1)
  const [{ headers, body }] = refused as [(typeof refused)[0]]
  assert.equal(body.error, 'rate_limited')
  assert.equal(headers.get('retry-after'), '1')
  assert.equal(headers.get('x-ratelimit-limit'), '60')
  assert.equal(headers.get('x-ratelimit-remaining'), '0')
  assert.equal(Number(headers.get('x-ratelimit-reset')), clock.now().getTime() / 1000 + 1)
  assert.equal(headers.get('ratelimit-policy'), '"standard";q=60;w=1')
  clock.advance(1000)
  assert.equal((await post(url, partner.testKey)).status, 201)
})

test('one key’s limit is not another’s', async (t) => {
  const { url, partner, database } = await start(t)
  await Promise.all(Array.from({ length: 61 }, () => post(url, partner.testKey)))
  const neighbour = await createPartner(database)
  assert.equal((await post(url, neighbour.testKey)).status, 201)
})

test('a partner’s ceiling and burst come from the environment or from the operator', async (t) => {
  const { url, partner, database } = await start(t)
  await database.db
    .updateTable('partners')
    .set({ rate_overrides: JSON.stringify({ standard: { ceiling: 2, burst: 3 } }) })
    .where('id', '=', partner.partnerId)
    .execute()
  const statuses = []
  for (let count = 0; count < 4; count++) statuses.push((await post(url, partner.testKey)).status)
  assert.deepEqual(statuses, [201, 201, 201, 429])
  const lowered = await start(t, { PUBLIC_API_RATE_OVERRIDES: JSON.stringify({ somebody: { standard: 3 } }) })
  assert.equal((await post(lowered.url, lowered.partner.testKey)).headers.get('x-ratelimit-limit'), '60')
})

test('strangers share their address’s bucket, also on paths that do not exist', async (t) => {
  const { url } = await start(t)
  const answers = await Promise.all(Array.from({ length: 61 }, () => send(url, 'GET', '/nowhere')))
  assert.equal(answers.filter(({ status }) => status === 429).length, 1)
})

test('guessing at keys is limited by address', async (t) => {
  const { url } = await start(t)
  const answers = await Promise.all(Array.from({ length: 61 }, (_, index) => post(url, `afg_test_${index}`)))
  assert.equal(answers.filter(({ status }) => status === 429).length, 1)
})

test('when Redis is gone requests are served all the same, within this instance’s limits', async (t) => {
  // Nobody listens on port 1 of this machine.
  const { url, partner } = await start(t, { REDIS_URL: 'redis://127.0.0.1:1' })
  const answers = await Promise.all(Array.from({ length: 61 }, () => post(url, partner.testKey)))
  assert.deepEqual(
    [answers.filter(({ status }) => status === 201).length, answers.filter(({ status }) => status === 429).length],
    [60, 1]
  )
  const health = await send(url, 'GET', '/api/v1/health')
  assert.deepEqual(health.body.redis, { configured: true, status: 'unavailable' })
})

test('a Redis that accepts connections and never says anything keeps no server from starting', async (t) => {
  const sockets = new Set<Socket>()
  const mute = createServer((socket) => void sockets.add(socket)).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    mute.close()
  })
  const { url, partner } = await start(t, { REDIS_URL: `redis://127.0.0.1:${(mute.address() as AddressInfo).port}` })
  assert.equal((await post(url, partner.testKey)).status, 201)
})

const testRedis = process.env.TEST_REDIS_URL

test(
  'the first request of a server that has just started draws on the bucket of all',
  { skip: testRedis === undefined },
  async (t) => {
    const env = { REDIS_URL: `${testRedis}?keyPrefix=${randomUUID()}:` }
    const first = await start(t, env)
    const second = await startApp(t, { rateLimits, env, database: first.database, extend: (app) => bindNotes(app) })
    const left = [await post(first.url, first.partner.testKey), await post(second.url, first.partner.testKey)].map(
      ({ headers }) => headers.get('x-ratelimit-remaining')
    )
    assert.deepEqual(left, ['59', '58'])
  }
)

test('in any window no bucket gives more than its capacity and what flowed in', async () => {
  const steps = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 100 }), fc.integer({ min: 0, max: 100 }), (waits, limit, extra) => {
      const size = { limit, capacity: limit + extra, windowMs: 1000 }
      let state: BucketState | undefined
      let nowMs = 0
      let given = 0
      for (const wait of waits) {
        nowMs += wait
        const outcome = takeToken(state, size, nowMs)
        state = outcome.state
        if (outcome.taken.allowed) given++
        assert.ok(outcome.taken.remaining >= 0 && outcome.taken.remaining < size.capacity)
        assert.equal(outcome.taken.nextInMs === 0, state.tokens >= 1)
      }
      assert.ok(given <= size.capacity + (nowMs * limit) / 1000 + 1e-6)
    })
  )
})
