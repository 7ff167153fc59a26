import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { createOwner } from '../../modules/agents/world.ts'

const server = await startApp(t, {
  env: {
    NODE_ENV: 'production',
    DATABASE_URL: 'postgres://unused@localhost/unused',
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
    ATLAS_JWT_SECRET: 'a secret of the tests that is long enough',
    LOG_LEVEL: 'silent'
  }
})
const { url, database } = server

test('production without Stripe keys returns 503 for checkout and its webhook, and has no payment page', async () => {
  const key = await (await createOwner(server)).token()
  const checkout = await send(url, 'POST', '/api/checkout', { key, body: { agent_id: 'buyer', amount: 25 } })
  assert.deepEqual([checkout.status, checkout.body.error], [503, 'stripe_not_configured'])
  assert.deepEqual((await send(url, 'GET', '/api/status?agent_id=buyer')).body, { exists: false })
  const event = await send(url, 'POST', '/v1/stripe/webhook', {
    body: { id: 'evt_1', object: 'event', type: 'x', data: { object: {} } },
    headers: { 'stripe-signature': 't=1,v1=00' }
  })
  assert.deepEqual([event.status, event.body.error], [503, 'stripe_not_configured'])
  assert.equal((await send(url, 'GET', '/simulators/stripe/cs_test_1')).status, 404)
  assert.equal(server.app.simulators.stripe, undefined)
})

test('production without Plaid’s keys and simulators returns 503 for linking, and says what to set', async () => {
  const { liveKey, testKey } = await createPartner(database, { production: true })
  const calls = [
    ['/v1/link/token/create', { user_id: 'usr_1' }],
    ['/v1/accounts/link', { user_id: 'usr_1', public_token: 'public-sandbox-1' }]
  ] as const
  const assertRefused = async (key: string, path: string, body: object, setting: RegExp): Promise<void> => {
    const refused = await send(url, 'POST', path, { key, body })
    assert.deepEqual([refused.status, refused.body.error], [503, 'plaid_not_configured'], path)
    assert.match(refused.body.detail as string, setting)
  }
  for (const [path, body] of calls) {
    await assertRefused(liveKey, path, body, /Set PLAID_CLIENT_ID/)
    await assertRefused(testKey, path, body, /Set ATLAS_SIMULATORS=true/)
  }
  await assertRefused(testKey, '/v1/sandbox/public_token', {}, /Set ATLAS_SIMULATORS=true/)
  await server.app.jobs.run('sync transfers with Plaid')
})

test('health reports neither as configured', async () => {
  const { body } = await send(url, 'GET', '/api/v1/health')
  assert.deepEqual(
    [body.plaid, body.stripe],
    [
      { configured: false, mode: 'not_configured' },
      { configured: false, mode: 'not_configured' }
    ]
  )
})
