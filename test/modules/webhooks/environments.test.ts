import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../../build-app.ts'
import { send } from '../../credentials.ts'
import { createPartnerOfBoth } from '../../environments.ts'
import { createApi, hookFor, publish, respond, startReceiver } from './setup.ts'

const server = await startApp(t)
const { app, url, database } = server
const receiver = await startReceiver(t)
const environments = ['test', 'live'] as const

const receivedAt = (path: string) => receiver.received.filter((one) => one.path === path).map(({ event }) => event)

test('an endpoint receives only the events of its environment, numbered without gaps', async () => {
  const { partnerId, keys } = await createPartnerOfBoth(server)
  for (const environment of environments)
    await hookFor(createApi(url, keys[environment]), `${receiver.url}/own-${environment}`)
  const written: Record<string, string[]> = { test: [], live: [] }
  for (const [n, environment] of ['live', 'live', 'test', 'live', 'test', 'test', 'live'].entries()) {
    const [id] = await publish(server, partnerId, ['transfer.settled'], { n }, environment as 'test' | 'live')
    written[environment]?.push(String(id))
    // Some are published together, others one by one.
    if (n % 3 === 0) await app.outbox.settle()
  }
  await app.outbox.settle()
  for (const environment of environments) {
    const events = receivedAt(`/hooks/own-${environment}`)
    assert.deepEqual(
      events.map(({ id }) => id),
      written[environment]
    )
    assert.ok(events.every((event) => event.environment === environment))
    const { body } = await createApi(url, keys[environment])('GET', '/v1/events')
    assert.deepEqual(
      body.items.map(({ id, environment: shown, sequence }) => ({ id, shown, sequence })),
      written[environment]?.map((id, index) => ({ id, shown: environment, sequence: index + 1 }))
    )
  }
})

test('test deliveries, replays and the disabling of an endpoint stay in its environment', async () => {
  const { keys } = await createPartnerOfBoth(server)
  const live = createApi(url, keys.live)
  for (const environment of environments)
    await hookFor(createApi(url, keys[environment]), `${receiver.url}/ends-${environment}`, ['webhook.*'])
  const { id } = await hookFor(live, `${receiver.url}/gone`, ['task.created'])
  const tested = await live('POST', `/v1/webhooks/${id}/test`)
  assert.equal(tested.body.environment, 'live')
  receiver.behave((request, response, received) =>
    respond(request.url === '/hooks/gone' ? 410 : 200)(request, response, received)
  )
  await app.outbox.settle()
  receiver.behave(respond(200))
  await app.outbox.settle()
  const delivery = (await live('GET', `/v1/webhooks/${id}/deliveries/${tested.body.id}`)).body
  assert.deepEqual([delivery.environment, (await live('GET', `/v1/webhooks/${id}`)).body.status], ['live', 'disabled'])
  assert.deepEqual(
    receivedAt('/hooks/ends-live').map(({ type, data }) => [type, data.webhook_id]),
    [['webhook.disabled', id]]
  )
  assert.deepEqual(receivedAt('/hooks/ends-test'), [])
  const path = `/v1/webhooks/${id}/deliveries/${tested.body.id}/replay`
  assert.equal((await createApi(url, keys.test)('POST', path)).status, 404)
})

test('a signed-in user chooses the environment of an endpoint, and a key has only its own', async () => {
  const { session, keys } = await createPartnerOfBoth(server)
  const create = async (key: string, environment?: string) =>
    await createApi(url, key)('POST', '/v1/webhooks', { url: receiver.url, events: ['*'], environment })
  assert.equal((await create(session)).body.environment, 'test')
  const chosen = await create(session, 'live')
  assert.deepEqual([chosen.status, chosen.body.environment], [201, 'live'])
  assert.equal((await createApi(url, keys.live)('GET', `/v1/webhooks/${chosen.body.id}`)).status, 200)
  assert.equal((await createApi(url, keys.test)('GET', `/v1/webhooks/${chosen.body.id}`)).status, 404)
  assert.equal((await create(keys.test, 'test')).status, 201)
  for (const [key, environment] of [
    [keys.test, 'live'],
    [keys.live, 'test']
  ] as const) {
    const refused = await create(key, environment)
    assert.deepEqual([refused.status, refused.body.error], [400, 'validation_failed'])
  }
})

test('events of agents are live for a partner in production, and test for any other', async () => {
  const { partnerId, session, keys } = await createPartnerOfBoth(server)
  for (const environment of environments)
    await hookFor(createApi(url, keys[environment]), `${receiver.url}/agents-${environment}`, ['agent.*'])
  const agent = `agent-of-${partnerId}`
  await send(url, 'POST', '/api/register', { key: session, body: { agent_id: agent } })
  const pause = async (path: string) => {
    assert.equal((await send(url, 'POST', `/api/agents/${agent}/${path}`, { key: session })).status, 200)
    await app.outbox.settle()
  }
  await pause('pause')
  assert.deepEqual(
    receivedAt('/hooks/agents-live').map(({ type }) => type),
    ['agent.paused']
  )
  assert.deepEqual(receivedAt('/hooks/agents-test'), [])
  await database.db.updateTable('partners').set({ production_enabled: false }).where('id', '=', partnerId).execute()
  await pause('resume')
  assert.deepEqual(
    receivedAt('/hooks/agents-test').map(({ type, environment }) => [type, environment]),
    [['agent.resumed', 'test']]
  )
  assert.equal(receivedAt('/hooks/agents-live').length, 1)
})
