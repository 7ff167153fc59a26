import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../../build-app.ts'
import { send } from '../../credentials.ts'
import { createPartnerOfBoth } from '../../environments.ts'
import { join } from '../bureau/world.ts'
import { mintToken, register } from './client.ts'

const server = await startApp(t)
const { url, database } = server

const post = async (key: string, path: string, idempotencyKey: string, body: unknown = {}) =>
  await send(url, 'POST', path, { key, body, headers: { 'idempotency-key': idempotencyKey } })
const lookUp = async (key: string, idempotencyKey: string) =>
  await send(url, 'GET', `/v1/idempotency/${idempotencyKey}`, { key })
const activityOf = async (key: string): Promise<string[]> => {
  const { status, body, text } = await send(url, 'GET', '/v1/activity', { key })
  assert.equal(status, 200, text)
  return body.items.map(
    ({ operationId, environment }: Record<string, string>) => `${String(operationId)} ${String(environment)}`
  )
}

test('the same idempotency key in two environments is two separate keys, each found only in its own', async () => {
  const { session, keys } = await createPartnerOfBoth(server)
  const made = {
    test: await post(keys.test, '/v1/projects', 'same', { name: 'Of test' }),
    live: await post(keys.live, '/v1/projects', 'same', { name: 'Of live' })
  }
  for (const environment of ['test', 'live'] as const) {
    const found = await lookUp(keys[environment], 'same')
    assert.equal(found.body.response.id, made[environment].body.id)
    assert.equal(found.body.response.environment, environment)
  }
  assert.notEqual(made.test.body.id, made.live.body.id)
  await post(keys.live, '/v1/projects', 'only-live', { name: 'Of live' })
  assert.equal((await lookUp(keys.test, 'only-live')).status, 404)
  assert.equal((await lookUp(session, 'only-live')).body.response.environment, 'live')
  assert.equal((await lookUp(session, 'same?environment=live')).body.response.id, made.live.body.id)
  assert.equal((await lookUp(session, 'same?environment=test')).body.response.id, made.test.body.id)
  assert.equal((await lookUp(keys.test, 'same?environment=live')).status, 404)
})

test('a live change by a signed-in user is not replayed to a test credential', async () => {
  const { session, keys } = await createPartnerOfBoth(server)
  const hook = await post(keys.live, '/v1/webhooks', 'made', { url: 'http://127.0.0.1:9/hooks', events: ['*'] })
  const rotated = await post(session, `/v1/webhooks/${hook.body.id}/rotate-secret`, 'rotated')
  assert.equal(rotated.status, 200)
  const { token } = await mintToken(url, session, { scopes: ['webhooks:read', 'webhooks:write'] })
  for (const credential of [keys.test, token]) {
    assert.equal((await post(credential, `/v1/webhooks/${hook.body.id}/rotate-secret`, 'rotated')).status, 404)
    assert.equal((await lookUp(credential, 'rotated')).status, 404)
  }
  assert.equal((await lookUp(session, 'rotated')).body.response.secret, rotated.body.secret)
})

test('the same idempotency key of two members of a partner is two separate keys', async () => {
  const { session, partnerId } = await createPartnerOfBoth(server)
  const colleague = await register(url, 'colleague@example.test')
  await join(server, colleague.userId, partnerId)
  await database.db
    .updateTable('sessions')
    .set({ partner_id: partnerId })
    .where('user_id', '=', colleague.userId)
    .execute()
  const [first, second] = [
    await post(session, '/v1/projects', 'same', { name: 'Of the owner' }),
    await post(colleague.jwt, '/v1/projects', 'same', { name: 'Of the colleague' })
  ]
  assert.deepEqual([first.body.name, second.body.name], ['Of the owner', 'Of the colleague'])
  assert.equal((await lookUp(colleague.jwt, 'same')).body.response.id, second.body.id)
})

test('activity of agents and signed-in users is hidden from the test keys of a partner in production', async () => {
  const { session, keys, partnerId } = await createPartnerOfBoth(server)
  const agent = `agent-of-${partnerId}`
  const registered = await send(url, 'POST', '/api/register', { key: session, body: { agent_id: agent } })
  await send(url, 'POST', '/api/spend', { key: registered.body.api_key, body: { amount: 1, require_approval: true } })
  await send(url, 'PATCH', '/api/v1/users/me', { key: session, body: { name: 'Ada' } })
  await post(session, '/v1/projects', 'of-test', { name: 'A project', environment: 'test' })
  const changes = ['createProject live', 'updateProfile live', 'spendCredits live', 'registerAgent live']
  assert.deepEqual(await activityOf(keys.live), changes)
  assert.deepEqual(await activityOf(session), changes)
  assert.deepEqual(await activityOf(keys.test), [])
})
