import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { test } from 'tap'
import { publishEvents } from '../../../modules/webhooks/events.ts'
import { openTestDatabase, startApp } from '../../build-app.ts'
import {
  createApi,
  createPartner,
  hookFor,
  publish,
  respond,
  startReceiver,
  type Behaviour,
  type Body
} from './setup.ts'

const secondMs = 1_000
const hourMs = 3_600_000
const dayMs = 24 * hourMs

const reset: Behaviour = (request) => void request.socket.resetAndDestroy()

const start = async (t: Parameters<typeof startApp>[0], behaviour?: Behaviour) => {
  const running = await startApp(t)
  const partner = await createPartner(running.database.db)
  const api = createApi(running.url, partner.key)
  const receiver = await startReceiver(t, behaviour)
  const hook = await hookFor(api, receiver.url)
  const deliveries = async (): Promise<Body[]> => (await api('GET', `/v1/webhooks/${hook.id}/deliveries`)).body.items
  const turn = async (ms: number): Promise<void> => {
    running.clock.advance(ms)
    await running.app.outbox.settle()
  }
  return { running, ...running, ...partner, api, receiver, hook, deliveries, turn }
}

test('a failed delivery is retried after 1 s, 5 s, 25 s, 2 min, 10 min, 1 h, then hourly for 24 hours', async (t) => {
  const { running, partnerId, receiver, deliveries, turn, clock, api, hook } = await start(t, respond(500, 'broken'))
  await publish(running, partnerId, ['transfer.settled'])
  await turn(0)
  assert.equal(receiver.received.length, 1)
  const first = clock.now().getTime()
  const waits = [1, 5, 25, 120, 600, 3600, ...Array<number>(22).fill(3600)]
  for (const [step, seconds] of waits.entries()) {
    await turn(seconds * secondMs - 1)
    assert.equal(receiver.received.length, step + 1, `not before step ${step} is due`)
    await turn(1)
    assert.equal(receiver.received.length, step + 2, `step ${step}`)
  }
  assert.ok(clock.now().getTime() - first <= dayMs)
  const [delivery] = await deliveries()
  assert.deepEqual([delivery?.status, delivery?.next_attempt_at], ['failed', null])
  await turn(10 * hourMs)
  assert.equal(receiver.received.length, waits.length + 1)
  assert.equal(
    new Set(receiver.received.map((one) => one.headers['x-atlas-delivery'])).size,
    1,
    'one id over all attempts'
  )
  assert.equal(new Set(receiver.received.map((one) => one.raw)).size, 1, 'one body over all attempts')
  const whole = await api('GET', `/v1/webhooks/${hook.id}/deliveries/${delivery?.id}`)
  assert.equal(whole.body.attempts.length, waits.length + 1)
  assert.deepEqual(
    { ...whole.body.attempts[0], latency_ms: 0 },
    { at: '2026-06-14T18:00:00.000Z', status: 500, latency_ms: 0, response_body: 'broken' }
  )
})

test('a failed delivery that succeeds at a retry is not sent again', async (t) => {
  const { running, partnerId, receiver, deliveries, turn } = await start(t, reset)
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  assert.deepEqual((await deliveries())[0]?.attempts[0]?.error, 'connection_reset')
  receiver.behave(respond(204))
  await turn(secondMs)
  const [delivery] = await deliveries()
  assert.deepEqual([delivery?.status, delivery?.attempts.map((attempt) => attempt.status)], ['succeeded', [null, 204]])
  await turn(dayMs)
  assert.equal(receiver.received.length, 2)
})

test('a redirect counts as a failure and is not followed', async (t) => {
  const elsewhere = await startReceiver(t)
  const { running, partnerId, deliveries, turn } = await start(t, respond(307, '', { location: elsewhere.url }))
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  const [delivery] = await deliveries()
  assert.deepEqual(
    [delivery?.status, delivery?.attempts[0]?.status, delivery?.attempts[0]?.error],
    ['pending', 307, 'redirect_not_followed']
  )
  assert.equal(elsewhere.received.length, 0)
})

test('the first KiB of a response is stored', async (t) => {
  const { running, partnerId, deliveries, turn } = await start(t, respond(200, `\0${'x'.repeat(100_000)}`))
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  const body = (await deliveries())[0]?.attempts[0]?.response_body
  assert.equal(body, `\uFFFD${'x'.repeat(1023)}`)
})

test('an endpoint gets events in order, and a failed delivery does not block later ones', async (t) => {
  const { running, partnerId, receiver, turn } = await start(t, respond(200))
  const ids: string[] = []
  for (let n = 0; n < 5; n++)
    ids.push(...(await publish(running, partnerId, ['transfer.pending', 'transfer.posted', 'transfer.settled'])))
  await turn(0)
  assert.deepEqual(
    receiver.received.map((one) => one.event.id),
    ids
  )

  const [failing = '', ...later] = await publish(running, partnerId, ['task.created', 'task.updated', 'task.completed'])
  receiver.received.length = 0
  receiver.behave((request, response, one) => respond(one.event.id === failing ? 503 : 200)(request, response, one))
  await turn(0)
  assert.deepEqual(
    receiver.received.map((one) => one.event.id),
    [failing, ...later]
  )
  receiver.behave(respond(200))
  await turn(secondMs)
  assert.equal(receiver.received.at(-1)?.event.id, failing)
})

test('an endpoint gets events in order even if the clock is set back between them', async (t) => {
  const held: (() => void)[] = []
  const { running, partnerId, receiver, turn } = await start(
    t,
    (_request, response) => void held.push(() => response.end())
  )
  const ids = await publish(running, partnerId, ['transfer.pending'])
  while (held.length === 0) await delay(5)
  receiver.behave(respond(200))
  ids.push(...(await publish(running, partnerId, ['transfer.posted'])))
  await publishEvents(running.app)
  running.clock.advance(-5 * secondMs)
  ids.push(...(await publish(running, partnerId, ['transfer.settled'])))
  await publishEvents(running.app)
  held[0]?.()
  await turn(0)
  assert.deepEqual(
    receiver.received.map((one) => one.event.id),
    ids
  )
})

test('an endpoint gets one request at a time', async (t) => {
  let open = 0
  let most = 0
  const { running, partnerId, receiver, turn } = await start(t, (_request, response) => {
    most = Math.max(most, ++open)
    setImmediate(() => {
      open--
      response.end()
    })
  })
  await publish(running, partnerId, Array<string>(20).fill('transfer.settled'))
  await turn(0)
  assert.deepEqual([receiver.received.length, most], [20, 1])
})

test('an unresponsive endpoint does not delay others', async (t) => {
  let release = (): void => undefined
  const { running, partnerId, api, turn, receiver } = await start(t, (_request, response) => {
    release = () => void response.end()
  })
  const quick = await startReceiver(t)
  await hookFor(api, quick.url)
  let arrived = (): void => undefined
  const both = new Promise<void>((resolve) => (arrived = resolve))
  quick.behave((request, response, one) => {
    respond(200)(request, response, one)
    if (quick.received.length === 2) arrived()
  })
  await publish(running, partnerId, ['task.created', 'task.updated'])
  await both
  assert.equal(receiver.received.length <= 1, true)
  receiver.behave(respond(200))
  release()
  await turn(0)
})

test('an endpoint gets the events of its subscription, and tests regardless of it', async (t) => {
  const { running, partnerId, api, receiver, hook, turn } = await start(t)
  await api('PATCH', `/v1/webhooks/${hook.id}`, { events: ['task.created', 'loan.*'] })
  await publish(running, partnerId, ['task.updated', 'task.created', 'loan.repaid', 'transfer.settled'])
  const tested = await api('POST', `/v1/webhooks/${hook.id}/test`)
  assert.deepEqual([tested.status, tested.body.event_type, tested.body.status], [202, 'webhook.test', 'pending'])
  await turn(0)
  assert.deepEqual(
    receiver.received.map((one) => one.event.type),
    ['task.created', 'loan.repaid', 'webhook.test']
  )
  assert.equal(receiver.received.at(-1)?.headers['x-atlas-delivery'], tested.body.id)
  assert.deepEqual(receiver.received.at(-1)?.event.data, { webhook_id: hook.id })
})

test('an event is sent right after its commit, without any request', async (t) => {
  const { running, partnerId, receiver } = await start(t)
  const arrived = new Promise<void>((resolve) =>
    receiver.behave((_request, response) => {
      response.end()
      resolve()
    })
  )
  await publish(running, partnerId, ['task.created'])
  await arrived
})

test('410 disables the endpoint at once, gives up its pending deliveries, and notifies the partner', async (t) => {
  const { running, partnerId, api, hook, receiver, deliveries, turn } = await start(t, respond(410))
  const other = await startReceiver(t)
  await hookFor(api, other.url, ['webhook.disabled'])
  await publish(running, partnerId, ['task.created', 'task.updated'])
  await turn(0)
  const { body } = await api('GET', `/v1/webhooks/${hook.id}`)
  assert.deepEqual([body.status, body.disabled_reason, body.version], ['disabled', 'gone', 2])
  assert.equal(receiver.received.length, 1)
  assert.deepEqual(
    (await deliveries()).map((delivery) => delivery.status),
    ['failed', 'failed']
  )
  assert.deepEqual(
    other.received.map((one) => [one.event.type, one.event.data]),
    [['webhook.disabled', { webhook_id: hook.id, url: hook.url, reason: 'gone' }]]
  )
  const refused = await api('POST', `/v1/webhooks/${hook.id}/test`)
  assert.deepEqual([refused.status, refused.body.title], [409, 'webhook_disabled'])

  receiver.behave(respond(200))
  await publish(running, partnerId, ['task.deleted'])
  await turn(0)
  await api('PATCH', `/v1/webhooks/${hook.id}`, { status: 'enabled' })
  await publish(running, partnerId, ['task.completed'])
  await turn(0)
  assert.deepEqual(
    receiver.received.slice(1).map((one) => one.event.type),
    ['task.completed'],
    'what came while it was disabled is not poured out'
  )
})

test('an endpoint that failed for 5 days is disabled and its partner notified; a success resets the count', async (t) => {
  const { running, partnerId, api, hook, receiver, turn } = await start(t, respond(500))
  const status = async () => {
    const { body } = await api('GET', `/v1/webhooks/${hook.id}`)
    return [body.status, body.disabled_reason]
  }
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  await turn(4 * dayMs)
  receiver.behave(respond(200))
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  receiver.behave(respond(500))
  for (let day = 0; day < 5; day++) {
    await publish(running, partnerId, ['task.created'])
    await turn(0)
    assert.deepEqual(await status(), ['enabled', null], `day ${day}`)
    await turn(dayMs - 1)
  }
  assert.deepEqual(await status(), ['enabled', null])
  await publish(running, partnerId, ['task.created'])
  await turn(5)
  assert.deepEqual(await status(), ['disabled', 'failing'])
  const feed = await api('GET', '/v1/events?type=webhook.disabled')
  assert.deepEqual(
    feed.body.items.map((item) => item.data),
    [{ webhook_id: hook.id, url: hook.url, reason: 'failing' }]
  )
})

test('any delivery can be replayed: it keeps its id, and the retry schedule starts again', async (t) => {
  const { running, partnerId, api, hook, receiver, deliveries, turn } = await start(t)
  await publish(running, partnerId, ['task.created'])
  await turn(0)
  const [done] = await deliveries()
  assert.equal(done?.status, 'succeeded')
  receiver.behave(respond(500))
  const replayed = await api('POST', `/v1/webhooks/${hook.id}/deliveries/${done?.id}/replay`)
  assert.deepEqual([replayed.status, replayed.body.id, replayed.body.status], [202, done?.id, 'pending'])
  await turn(0)
  receiver.behave(respond(200))
  await turn(secondMs)
  const [again] = await deliveries()
  assert.deepEqual([again?.status, again?.attempts.map((attempt) => attempt.status)], ['succeeded', [200, 500, 200]])
  assert.equal(new Set(receiver.received.map((one) => one.headers['x-atlas-delivery'])).size, 1)
})

test('all deliveries given up since a given time are replayed in the order of their events', async (t) => {
  const { running, partnerId, api, hook, receiver, turn, clock } = await start(t, respond(500))
  const ids = await publish(running, partnerId, ['task.created', 'task.updated', 'task.completed'])
  await turn(0)
  await turn(dayMs + 1)
  const since = clock.now().toISOString()
  receiver.behave(respond(200))
  receiver.received.length = 0
  const none = await api('POST', `/v1/webhooks/${hook.id}/replay`, {
    since: new Date(clock.now().getTime() + 1).toISOString()
  })
  assert.deepEqual([none.status, none.body.replayed], [202, 0])
  assert.deepEqual((await api('POST', `/v1/webhooks/${hook.id}/replay`, { since })).body, { replayed: 3 })
  await turn(0)
  assert.deepEqual(
    receiver.received.map((one) => one.event.id),
    ids
  )
})

test('a replay requested during an attempt is not lost', async (t) => {
  const { running, partnerId, api, hook, receiver, deliveries, turn } = await start(t)
  let answer = (): void => undefined
  const underWay = new Promise<void>((resolve) =>
    receiver.behave((_request, response) => {
      answer = () => response.end()
      resolve()
    })
  )
  await publish(running, partnerId, ['task.created'])
  await underWay
  const [delivery] = await deliveries()
  await api('POST', `/v1/webhooks/${hook.id}/deliveries/${delivery?.id}/replay`)
  receiver.behave(respond(200))
  answer()
  await turn(0)
  assert.equal(receiver.received.length, 2)
  assert.equal((await deliveries())[0]?.status, 'succeeded')
})

test('an address forbidden at connect time gets no request, and the attempt reveals nothing else', async (t) => {
  const database = await openTestDatabase(t)
  const { partnerId, key } = await createPartner(database.db)
  const receiver = await startReceiver(t)
  const ATLAS_ENCRYPTION_KEY = Buffer.alloc(32, 1).toString('base64')
  const open = await startApp(t, { database, env: { ATLAS_ENCRYPTION_KEY } })
  const hook = await hookFor(createApi(open.url, key), receiver.url.replace('127.0.0.1', 'localhost'))
  await open.app.close()
  const guarded = await startApp(t, { database, env: { ATLAS_ENCRYPTION_KEY, ATLAS_WEBHOOK_ALLOW_PRIVATE: 'false' } })
  await publish(guarded, partnerId, ['task.created'])
  await guarded.app.outbox.settle()
  const [delivery] = (await createApi(guarded.url, key)('GET', `/v1/webhooks/${hook.id}/deliveries`)).body.items
  assert.deepEqual(
    { ...delivery?.attempts[0], at: '', latency_ms: 0 },
    { at: '', status: null, latency_ms: 0, response_body: null, error: 'forbidden_address' }
  )
  assert.equal(receiver.received.length, 0)
})
