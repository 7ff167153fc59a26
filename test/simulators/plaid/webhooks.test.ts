import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { decodeProtectedHeader, importJWK, jwtVerify } from 'jose'
import { SandboxItemFireWebhookRequestWebhookCodeEnum as Code } from 'plaid'
import { test } from 'tap'
import { buildSimulator, link, receiveWebhooks, refusal } from './build-simulator.ts'

const codes = (received: { body: Record<string, unknown> }[]) => received.map(({ body }) => body['webhook_code'])

test("a webhook's signature verifies as Plaid documents", async (t) => {
  const { url, received } = await receiveWebhooks(t)
  const { plaid, simulator, clock } = await buildSimulator(t)
  await link(plaid, { webhook: url })
  await simulator.settled()
  assert.ok(received.length > 0)
  for (const { raw, verification } of received) {
    const header = decodeProtectedHeader(verification)
    assert.equal(header.alg, 'ES256')
    const {
      data: { key }
    } = await plaid.webhookVerificationKeyGet({ key_id: header.kid ?? '' })
    const { payload } = await jwtVerify(verification, await importJWK({ ...key, kty: 'EC' }, 'ES256'), {
      algorithms: ['ES256'],
      maxTokenAge: '5 min',
      currentDate: clock.now()
    })
    assert.equal(payload['request_body_sha256'], createHash('sha256').update(raw).digest('hex'))
    assert.equal(payload.iat, Math.floor(clock.now().getTime() / 1000))
    assert.ok(!('d' in key), 'the private key is not returned')
  }
  assert.equal(
    (await refusal(plaid.webhookVerificationKeyGet({ key_id: 'none' }))).error_code,
    'INVALID_WEBHOOK_VERIFICATION_KEY_ID'
  )
})

test('two instances on one database sign with one key', async (t) => {
  const { url, received } = await receiveWebhooks(t)
  const first = await buildSimulator(t)
  const second = await buildSimulator(t, { db: first.db })
  await Promise.all([link(first.plaid, { webhook: url }), link(second.plaid, { webhook: url })])
  await Promise.all([first.simulator.settled(), second.simulator.settled()])
  assert.equal(new Set(received.map(({ verification }) => decodeProtectedHeader(verification).kid)).size, 1)
})

test('the first exchange sends webhooks for its transactions, and a repeated one does not', async (t) => {
  const { url, received } = await receiveWebhooks(t)
  const { plaid, simulator } = await buildSimulator(t)
  const { publicToken, itemId } = await link(plaid, { webhook: url })
  await plaid.itemPublicTokenExchange({ public_token: publicToken })
  await simulator.settled()
  assert.deepEqual(codes(received), ['INITIAL_UPDATE', 'HISTORICAL_UPDATE', 'SYNC_UPDATES_AVAILABLE'])
  assert.deepEqual(received[2]?.body, {
    webhook_type: 'TRANSACTIONS',
    webhook_code: 'SYNC_UPDATES_AVAILABLE',
    item_id: itemId,
    initial_update_complete: true,
    historical_update_complete: true,
    environment: 'sandbox'
  })
})

test('firing SYNC_UPDATES_AVAILABLE first creates new transactions', async (t) => {
  const { url, received } = await receiveWebhooks(t)
  const { plaid, simulator } = await buildSimulator(t)
  const { accessToken } = await link(plaid, { webhook: url, days: 1 })
  const cursor = (await plaid.transactionsSync({ access_token: accessToken, count: 500 })).data.next_cursor
  await simulator.settled()
  received.length = 0
  assert.equal(
    (await plaid.sandboxItemFireWebhook({ access_token: accessToken, webhook_code: Code.SyncUpdatesAvailable })).data
      .webhook_fired,
    true
  )
  const { data } = await plaid.transactionsSync({ access_token: accessToken, cursor })
  assert.ok(data.added.length >= 3 && data.added.every((row) => row.pending))
  await simulator.settled()
  assert.deepEqual(codes(received), ['SYNC_UPDATES_AVAILABLE'])
  assert.equal(
    (await plaid.itemGet({ access_token: accessToken })).data.status?.last_webhook?.code_sent,
    'SYNC_UPDATES_AVAILABLE'
  )
})

test('resetting a login sends one webhook, and an item without a webhook cannot fire', async (t) => {
  const { url, received } = await receiveWebhooks(t)
  const { plaid, simulator } = await buildSimulator(t)
  const { accessToken } = await link(plaid, { webhook: url })
  await simulator.settled()
  received.length = 0
  await plaid.sandboxItemResetLogin({ access_token: accessToken })
  await plaid.sandboxItemResetLogin({ access_token: accessToken })
  await simulator.settled()
  assert.deepEqual(codes(received), ['ERROR'])
  assert.equal((received[0]?.body['error'] as { error_code: string }).error_code, 'ITEM_LOGIN_REQUIRED')
  const silent = await link(plaid)
  const refused = await refusal(
    plaid.sandboxItemFireWebhook({ access_token: silent.accessToken, webhook_code: Code.SyncUpdatesAvailable })
  )
  assert.deepEqual([refused.error_type, refused.error_code], ['SANDBOX_ERROR', 'SANDBOX_WEBHOOK_INVALID'])
})

test('a failed webhook is retried, with three attempts in total', async (t) => {
  const patient = await receiveWebhooks(t, 2)
  const hopeless = await receiveWebhooks(t, 5)
  const { plaid, simulator } = await buildSimulator(t)
  for (const { url } of [patient, hopeless]) {
    const { accessToken } = await link(plaid, { webhook: url, products: ['auth' as never] })
    await plaid.sandboxItemFireWebhook({ access_token: accessToken, webhook_code: Code.NewAccountsAvailable })
  }
  await simulator.settled()
  assert.deepEqual(codes(patient.received), ['NEW_ACCOUNTS_AVAILABLE'])
  assert.deepEqual(codes(hopeless.received), [])
})
