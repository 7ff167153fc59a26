import assert from 'node:assert/strict'
import { test } from 'tap'
import { AtlasConnectionError, AtlasProblem, AtlasTimeout } from '../../client/index.ts'
import { readRetryAfter, retryDelayMs } from '../../client/retries.ts'
import { reply, clientOf, cutShort, hang, problem, reset, startOddServer } from './setup.ts'

const transfer = { from_account_id: 'acc_1', to_account_id: 'acc_2', amount: 5 }
const keysOf = (received: { headers: Record<string, unknown> }[]) =>
  received.map(({ headers }) => headers['idempotency-key'])

test('a POST keeps one key and body across retries: resets, cut responses, 503, 429 and key-in-flight', async (t) => {
  for (const failure of [
    reset,
    cutShort,
    problem(503, 'unavailable'),
    problem(429, 'rate_limited', { 'retry-after': '0' }),
    problem(409, 'idempotency_in_flight', { 'retry-after': '0' })
  ]) {
    const { url, received } = await startOddServer(t, failure, reply(200, { id: 'tfr_1' }))
    assert.equal((await clientOf(url, 'k').transfers.create(transfer)).id, 'tfr_1')
    assert.equal(received.length, 2)
    const [first, second] = keysOf(received)
    assert.match(String(first), /^[0-9a-f]{32}$/)
    assert.equal(second, first)
    assert.equal(received[1]?.body, received[0]?.body)
  }
})

test('each call has its own key, and a key given by the caller is sent unchanged', async (t) => {
  const { url, received } = await startOddServer(t, reply(200, {}))
  const atlas = clientOf(url, 'k')
  await atlas.transfers.create(transfer)
  await atlas.transfers.create(transfer)
  await atlas.transfers.create(transfer, { idempotencyKey: 'mine' })
  await atlas.transfers.create(transfer, { headers: { 'Idempotency-Key': 'mine too' } })
  const keys = keysOf(received)
  assert.equal(new Set(keys).size, 4)
  assert.deepEqual(keys.slice(2), ['mine', 'mine too'])
})

test('a POST without a key, a PATCH without If-Match and a feed without a cursor are sent only once', async (t) => {
  const { url, received } = await startOddServer(t, reset)
  const atlas = clientOf(url, 'k')
  await assert.rejects(
    atlas.users.login({ email: 'ada@example.test', password: 'a long password' }),
    AtlasConnectionError
  )
  await assert.rejects(atlas.webhooks.update('whk_1', { description: 'x' }), AtlasConnectionError)
  await assert.rejects(atlas.transactions.list({ user_id: 'usr_1' }), AtlasConnectionError)
  assert.equal(received.length, 3)
})

test('a POST that only calculates has no key and is retried anyway', async (t) => {
  const { url, received } = await startOddServer(t, reset, reply(200, { daily_allowance: 1 }))
  assert.equal(
    (await clientOf(url, 'k').safeToSpend.calculate({ end_user_id: 'usr_1', cash_balance: 30 })).daily_allowance,
    1
  )
  assert.deepEqual(keysOf(received), [undefined, undefined])
})

test('a key belongs to one call: a key among the headers of all calls is not sent', async (t) => {
  const { url, received } = await startOddServer(t, reply(200, {}))
  const atlas = clientOf(url, 'k', { headers: { 'Idempotency-Key': 'of all', 'X-Team': 'ops' } })
  await atlas.safeToSpend.calculate({ end_user_id: 'usr_1', cash_balance: 30 })
  await atlas.transfers.create(transfer)
  assert.deepEqual(
    received.map(({ headers }) => headers['x-team']),
    ['ops', 'ops']
  )
  assert.equal(keysOf(received)[0], undefined)
  assert.match(String(keysOf(received)[1]), /^[0-9a-f]{32}$/)
})

test('a PATCH with If-Match, a DELETE and a feed with a cursor are retried', async (t) => {
  const calls = [
    (atlas: ReturnType<typeof clientOf>) => atlas.webhooks.update('whk_1', { description: 'x' }, { ifMatch: 3 }),
    (atlas: ReturnType<typeof clientOf>) => atlas.webhooks.delete('whk_1'),
    (atlas: ReturnType<typeof clientOf>) => atlas.transactions.list({ user_id: 'usr_1', cursor: '' })
  ]
  for (const call of calls) {
    const { url, received } = await startOddServer(t, reset, reply(200, {}))
    await call(clientOf(url, 'k'))
    assert.equal(received.length, 2)
  }
})

test('even a call that must not run twice is retried after 429, since the server did nothing', async (t) => {
  const { url, received } = await startOddServer(
    t,
    problem(429, 'rate_limited', { 'retry-after': '0' }),
    reply(200, {})
  )
  await clientOf(url, 'k').webhooks.update('whk_1', { description: 'x' })
  assert.equal(received.length, 2)
})

test('a Retry-After above the caller’s maximum fails at once, and the problem says how long it is', async (t) => {
  const { url, received } = await startOddServer(t, problem(429, 'rate_limited', { 'retry-after': '3600' }))
  await assert.rejects(
    clientOf(url, 'k').tasks.list(),
    (error) => error instanceof AtlasProblem && error.retryAfterMs === 3_600_000 && error.status === 429
  )
  assert.equal(received.length, 1)
})

test('the last error is thrown after the last retry, and an error that is not retryable at once', async (t) => {
  const busy = await startOddServer(t, problem(503, 'unavailable'))
  await assert.rejects(clientOf(busy.url, 'k', { maxRetries: 1 }).tasks.list(), {
    name: 'AtlasProblem',
    code: 'unavailable'
  })
  assert.equal(busy.received.length, 2)
  const refusing = await startOddServer(t, problem(422, 'insufficient_funds'))
  await assert.rejects(clientOf(refusing.url, 'k').transfers.create(transfer), {
    code: 'insufficient_funds',
    requestId: 'req_1',
    title: 'insufficient_funds'
  })
  assert.equal(refusing.received.length, 1)
})

test('a missing response is a timeout, and the client retries with the same key', async (t) => {
  const dead = await startOddServer(t, hang)
  await assert.rejects(
    clientOf(dead.url, 'k', { timeoutMs: 50, maxRetries: 0 }).tasks.list(),
    (error) => error instanceof AtlasTimeout && error.timeoutMs === 50
  )
  const slow = await startOddServer(t, hang, reply(200, { id: 'tfr_1' }))
  assert.equal((await clientOf(slow.url, 'k').transfers.create(transfer, { timeoutMs: 1_000 })).id, 'tfr_1')
  assert.equal(new Set(keysOf(slow.received)).size, 1)
})

test('a timeout or a longest Retry-After beyond what a timer can hold means no limit', async (t) => {
  for (const timeoutMs of [Infinity, 2 ** 31, Number.MAX_VALUE]) {
    const slow = await startOddServer(t, reply(200, { items: [] }))
    assert.deepEqual((await clientOf(slow.url, 'k', { timeoutMs, maxRetries: 0 }).tasks.list()).items, [])
  }
  const busy = await startOddServer(t, problem(429, 'rate_limited', { 'retry-after': String(30 * 24 * 3_600) }))
  const giveUp = new AbortController()
  const pendingCall = clientOf(busy.url, 'k', { maxRetryAfterMs: Infinity }).tasks.list({}, { signal: giveUp.signal })
  setTimeout(() => giveUp.abort(new Error('given up')), 300)
  await assert.rejects(pendingCall, { message: 'given up' })
  assert.equal(busy.received.length, 1)
})

test('an aborted call throws the reason: before sending, while sending, and while waiting to retry', async (t) => {
  const reason = new Error('Never mind.')
  const silent = await startOddServer(t, hang)
  await assert.rejects(clientOf(silent.url, 'k').tasks.list({}, { signal: AbortSignal.abort(reason) }), reason)
  assert.equal(silent.received.length, 0)

  const during = new AbortController()
  const stopping = await startOddServer(t, () => during.abort(reason))
  await assert.rejects(clientOf(stopping.url, 'k').tasks.list({}, { signal: during.signal }), reason)

  const waiting = new AbortController()
  const busy = await startOddServer(t, problem(503, 'unavailable', { 'retry-after': '50' }))
  const call = clientOf(busy.url, 'k', {
    fetch: async (url, init) => {
      const response = await fetch(url, init)
      setTimeout(() => waiting.abort(reason), 100)
      return response
    }
  }).tasks.list({}, { signal: waiting.signal })
  await assert.rejects(call, reason)
  assert.equal(busy.received.length, 1)
})

test('the client reads the credential for every attempt, so it picks up a rotated one; null sends none', async (t) => {
  const { url, received } = await startOddServer(
    t,
    problem(503, 'unavailable'),
    reply(200, { items: [], nextCursor: null })
  )
  const tokens = ['old', 'new']
  await clientOf(url, null, { getAccessToken: async () => tokens.shift() }).tasks.list()
  await clientOf(url, null).tasks.list()
  assert.deepEqual(
    received.map(({ headers }) => headers.authorization),
    ['Bearer old', 'Bearer new', undefined]
  )
})

test('values in a path are escaped and cannot lead to another path', async (t) => {
  const { url, received } = await startOddServer(t, reply(200, {}))
  await clientOf(url, 'k').tasks.get('a/../b?c')
  assert.equal(received[0]?.url, '/v1/tasks/a%2F..%2Fb%3Fc')
  for (const id of ['', '.', '..', undefined as unknown as string])
    await assert.rejects(clientOf(url, 'k').tasks.get(id), TypeError)
})

test('an error response from a proxy between client and server is thrown as a problem as well', async (t) => {
  const { url } = await startOddServer(t, (_request, response) =>
    response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>nginx</h1>')
  )
  await assert.rejects(clientOf(url, 'k').tasks.list(), {
    name: 'AtlasProblem',
    status: 404,
    code: 'http_404',
    errors: []
  })
})

test('retries wait from 300 ms with full jitter, and honour Retry-After in seconds or as a date', async () => {
  assert.deepEqual(
    [0, 1, 2].map((retry) => retryDelayMs(retry, 1)),
    [300, 780, 2028]
  )
  assert.equal(retryDelayMs(50, 1), 30_000)
  assert.equal(retryDelayMs(2, 0), 0)
  assert.equal(retryDelayMs(0, 0.5, 2_000), 2_150)
  const now = Date.parse('2026-06-14T18:00:00Z')
  assert.equal(readRetryAfter('7', now), 7_000)
  assert.equal(readRetryAfter('Sun, 14 Jun 2026 18:00:09 GMT', now), 9_000)
  assert.equal(readRetryAfter('Sun, 14 Jun 2026 17:00:00 GMT', now), 0)
  for (const nonsense of [null, 'soon', '-1', '1.5', '']) assert.equal(readRetryAfter(nonsense, now), undefined)
})
