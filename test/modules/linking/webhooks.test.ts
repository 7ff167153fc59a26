import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { test } from 'tap'
import { createWebhookVerifier, type VerificationKey } from '../../../plugins/plaid/webhook-verification.ts'
import { TestClock } from '../../build-app.ts'
import { send } from '../../credentials.ts'
import { FeedClient } from './feed-client.ts'
import { simulatorOf, startWorld } from './world.ts'

const hashOf = (body: string) => createHash('sha256').update(body).digest('hex')

/** A token that only looks like one of Plaid's. */
const invent = (kid: string): string =>
  `${Buffer.from(JSON.stringify({ alg: 'ES256', kid })).toString('base64url')}.e30.c2lnbmF0dXJl`

const startVerifier = async () => {
  const clock = new TestClock()
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), alg: 'ES256' } as VerificationKey
  const lookups: string[] = []
  const published = new Set(['known'])
  const verifier = createWebhookVerifier({
    clock,
    findKey: (keyId) => {
      lookups.push(keyId)
      return Promise.resolve(published.has(keyId) ? jwk : undefined)
    }
  })
  const judge = (token: string, body = 'a', address = '192.0.2.1') => verifier(token, Buffer.from(body), address)
  const verify = async (token: string | undefined, body: Buffer) =>
    (await verifier(token, body, '192.0.2.1')) === 'genuine'
  const sign = (
    body: string,
    { kid = 'known', issuedAt = Math.floor(clock.now().getTime() / 1000), hash = hashOf(body) } = {}
  ) =>
    new SignJWT({ request_body_sha256: hash })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuedAt(issuedAt)
      .sign(privateKey)
  return { published, clock, judge, verify, sign, lookups, jwk }
}

test('only a recent ES256 signature over exactly this body is accepted', async () => {
  const { verify, sign, clock, jwk } = await startVerifier()
  const body = '{"webhook_type":"ITEM"}'
  const now = Math.floor(clock.now().getTime() / 1000)
  assert.equal(await verify(await sign(body), Buffer.from(body)), true)
  assert.equal(await verify(await sign(body, { issuedAt: now - 300 }), Buffer.from(body)), true)
  assert.equal(await verify(await sign(body, { issuedAt: now - 301 }), Buffer.from(body)), false)
  assert.equal(await verify(await sign(body, { issuedAt: now + 3_600 }), Buffer.from(body)), false)
  assert.equal(await verify(await sign(body), Buffer.from(`${body} `)), false)
  assert.equal(await verify(await sign(body, { hash: 'short' }), Buffer.from(body)), false)
  assert.equal(await verify(undefined, Buffer.from(body)), false)
  assert.equal(await verify('no.token.atall', Buffer.from(body)), false)
  const symmetric = await new SignJWT({ request_body_sha256: hashOf(body) })
    .setProtectedHeader({ alg: 'HS256', kid: 'known' })
    .setIssuedAt(now)
    .sign(Buffer.from(JSON.stringify(jwk)))
  assert.equal(await verify(symmetric, Buffer.from(body)), false, 'the public key does not work as a shared secret')
})

test('a key is fetched once, an expired one is rejected, and invented ids cause few fetches', async () => {
  const { verify, sign, lookups, jwk, clock } = await startVerifier()
  for (let i = 0; i < 5; i++) assert.equal(await verify(await sign('a'), Buffer.from('a')), true)
  assert.deepEqual(lookups, ['known'])
  for (let i = 0; i < 200; i++)
    assert.equal(await verify(await sign('a', { kid: `invented-${i}` }), Buffer.from('a')), false)
  assert(lookups.length <= 30)
  assert.equal(await verify(await sign('a'), Buffer.from('a')), true, 'the known key is still cached')
  jwk.expired_at = Math.floor(clock.now().getTime() / 1000)
  assert.equal(await verify(await sign('a'), Buffer.from('a')), false)
})

test('invented key ids use up only the lookups of their own address', async () => {
  const { judge, sign, lookups } = await startVerifier()
  const flood = []
  for (let i = 0; i < 100; i++) flood.push(await judge(invent(`invented-${i}`), 'a', '198.51.100.7'))
  assert.deepEqual(new Set(flood.slice(0, 10)), new Set(['forged']))
  assert.deepEqual(new Set(flood.slice(10)), new Set(['unchecked']))
  assert.equal(lookups.length, 10)
  assert.equal(await judge(await sign('a')), 'genuine', 'the first webhook of another address')
})

test('an address that sent a genuine webhook keeps a budget that other addresses cannot use up', async () => {
  const { judge, sign, clock, published } = await startVerifier()
  assert.equal(await judge(await sign('a')), 'genuine')
  for (let i = 0; i < 10_100; i++) assert.equal(await judge(invent(`invented-${i}`), 'a', `stranger-${i}`), 'forged')
  published.add('rotated')
  for (let i = 0; i < 19; i++) await judge(invent(`unknown-${i}`))
  assert.equal(await judge(await sign('a', { kid: 'rotated' })), 'genuine')
  assert.equal(await judge(invent('one-more')), 'unchecked')
  clock.advance(60_000)
  assert.equal(await judge(invent('one-more')), 'forged')
})

test('a flood of invented key ids gets 429 with Retry-After, and a genuine webhook still arrives', async (t) => {
  const world = await startWorld(t, { env: { ATLAS_TRUST_PROXY: 'true' } })
  const { itemId } = await world.link('usr_1')
  const flood = []
  for (let i = 0; i < 50; i++) {
    const headers = {
      'x-forwarded-for': `2001:db8::${i.toString(16)}`,
      'plaid-verification': invent(`invented-${i}`)
    }
    const body = { webhook_type: 'ITEM', webhook_code: 'ERROR', item_id: itemId }
    flood.push(await send(world.url, 'POST', '/v1/plaid/webhook', { body, headers }))
  }
  assert.deepEqual(new Set(flood.map(({ status }) => status)), new Set([401, 429]))
  assert.equal(flood.at(-1)?.headers.get('retry-after'), '60')
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'USER_PERMISSION_REVOKED' })
  await world.settle()
  assert.equal((await world.get('/v1/items?user_id=usr_1')).body.items[0].status, 'error')
})

test('an unsigned webhook gets 401, and one about an unknown item is accepted and ignored', async (t) => {
  const world = await startWorld(t)
  const body = { webhook_type: 'TRANSACTIONS', webhook_code: 'SYNC_UPDATES_AVAILABLE', item_id: 'unknown' }
  const unsigned = await send(world.url, 'POST', '/v1/plaid/webhook', { body })
  assert.deepEqual([unsigned.status, unsigned.body.error], [401, 'invalid_webhook_signature'])
  const { itemId } = await world.link('usr_1')
  await world.settle()
  await world.database.db.updateTable('items').set({ plaid_item_id: 'unknown' }).where('id', '=', itemId).execute()
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'USER_PERMISSION_REVOKED' })
  await world.settle()
  assert.equal((await world.get('/v1/items?user_id=usr_1')).body.items[0].status, 'ok')
})

test('SYNC_UPDATES_AVAILABLE alone brings changes into the feed', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  const client = new FeedClient(world, 'usr_1')
  await client.drain()
  await world.settle()
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'SYNC_UPDATES_AVAILABLE' })
  await world.settle()
  // Reading calls Plaid no more: the changes were fetched in the background.
  simulatorOf(world).faults.next('/transactions/sync', 'INTERNAL_SERVER_ERROR', 3)
  const before = client.view.size
  await client.read({})
  assert(client.view.size > before)
  const updates = await world.database.db
    .selectFrom('events')
    .selectAll()
    .where('type', '=', 'transactions.updated')
    .execute()
  assert.equal(updates.length, 2)
})

test('a sync triggered by a webhook is retried later when Plaid fails', async (t) => {
  const world = await startWorld(t)
  const { faults } = simulatorOf(world)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  faults.next('/transactions/sync', 'INTERNAL_SERVER_ERROR', 3)
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'SYNC_UPDATES_AVAILABLE' })
  await world.settle()
  const wanted = () =>
    world.database.db.selectFrom('items').select(['syncs_wanted', 'syncs_done']).executeTakeFirstOrThrow()
  const waiting = await wanted()
  assert(waiting.syncs_wanted > waiting.syncs_done)
  world.clock.advance(60_000)
  await world.settle()
  const done = await wanted()
  assert.equal(done.syncs_wanted, done.syncs_done)
})

test('webhooks mark items as revoked, repaired or about to be disconnected', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  const fire = async (webhook_code: string) => {
    assert.equal((await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code })).status, 200)
    await simulatorOf(world).settled()
    const { status, error_code } = await world.database.db
      .selectFrom('items')
      .select(['status', 'error_code'])
      .executeTakeFirstOrThrow()
    return [status, error_code]
  }
  assert.deepEqual(await fire('PENDING_DISCONNECT'), ['ok', 'PENDING_DISCONNECT'])
  assert.deepEqual(await fire('USER_PERMISSION_REVOKED'), ['error', 'USER_PERMISSION_REVOKED'])
  assert.deepEqual(await fire('LOGIN_REPAIRED'), ['ok', null])
  const events = await world.database.db
    .selectFrom('events')
    .selectAll()
    .where('type', '=', 'item.login_required')
    .orderBy('position')
    .execute()
  assert.deepEqual(
    events.map(({ data }) => data.error_code),
    ['PENDING_DISCONNECT', 'USER_PERMISSION_REVOKED']
  )
})

test('a domain receives only webhooks of the type for which it registered', async (t) => {
  const world = await startWorld(t)
  const received: string[] = []
  world.app.plaid.onWebhook('TRANSACTIONS', async (_trx, webhook, environments) => {
    received.push(`${webhook.webhook_code} ${environments.join()}`)
    await Promise.resolve()
  })
  const { itemId } = await world.link('usr_1')
  await world.settle()
  received.length = 0
  await world.post(`/v1/sandbox/items/${itemId}/fire_webhook`, { webhook_code: 'SYNC_UPDATES_AVAILABLE' })
  await world.settle()
  assert.deepEqual(received, ['SYNC_UPDATES_AVAILABLE test,live'])
})
