import assert from 'node:assert/strict'
import { createHmac, timingSafeEqual } from 'node:crypto'
import Stripe from 'stripe'
import { test } from 'tap'
import { signBody } from '../../../modules/webhooks/signatures.ts'
import { startApp } from '../../build-app.ts'
import { createApi, createPartner, hookFor, publish, startReceiver } from './setup.ts'

/** What the API reference tells receivers to do. */
const verify = (rawBody: string, headerValue: string, secret: string): boolean => {
  const signature = headerValue.replace(/^sha256=/, '')
  const expected = createHmac('sha256', secret).update(rawBody).digest('hex')
  return timingSafeEqual(Buffer.from(signature, 'hex'), Buffer.from(expected, 'hex'))
}

const stripe = new Stripe('sk_test_unused')
const constructEvent = (raw: string, header: string, secret: string, at: Date) =>
  stripe.webhooks.constructEvent(raw, header, secret, 300, undefined, Math.floor(at.getTime() / 1000))

test('a delivery verifies in both schemes, with the reference code and with the code that verifies Stripe', async (t) => {
  const running = await startApp(t)
  const { app, url, clock, database } = running
  const { partnerId, key } = await createPartner(database.db)
  const receiver = await startReceiver(t)
  const hook = await hookFor(createApi(url, key), receiver.url, ['transfer.*'])
  assert.match(hook.secret, /^whsec_[A-Za-z0-9]{40}$/)
  const [eventId] = await publish(running, partnerId, ['transfer.settled'], { transfer_id: 'tfr_ü✓', amount: 25.5 })
  await app.outbox.settle()

  assert.equal(receiver.received.length, 1)
  const { headers, raw, event } = receiver.received[0]!
  assert.deepEqual(event, {
    id: eventId,
    type: 'transfer.settled',
    environment: 'test',
    created_at: '2026-06-14T18:00:00.000Z',
    data: { transfer_id: 'tfr_ü✓', amount: 25.5 }
  })
  assert.equal(headers['content-type'], 'application/json')
  assert.equal(headers['x-atlas-event'], 'transfer.settled')
  assert.match(String(headers['x-atlas-delivery']), /^dlv_/)
  assert.match(String(headers['atlas-signature']), /^t=1781460000,v1=[0-9a-f]{64}$/)
  assert.ok(verify(raw, String(headers['x-atlas-signature']), hook.secret))
  assert.equal(constructEvent(raw, String(headers['atlas-signature']), hook.secret, clock.now()).id, eventId)
  assert.throws(
    () => constructEvent(`${raw} `, String(headers['atlas-signature']), hook.secret, clock.now()),
    /signature/i
  )
})

test('for 24 hours after a rotation both secrets verify, and then only the new one', async (t) => {
  const running = await startApp(t)
  const { app, url, clock, database } = running
  const { partnerId, key } = await createPartner(database.db)
  const api = createApi(url, key)
  const receiver = await startReceiver(t)
  const old = await hookFor(api, receiver.url)
  const rotated = await api('POST', `/v1/webhooks/${old.id}/rotate-secret`)
  assert.equal(rotated.status, 200)
  assert.notEqual(rotated.body.secret, old.secret)
  const last = () => {
    const { raw, headers } = receiver.received.at(-1)!
    return { raw, header: String(headers['atlas-signature']), bodyHeader: String(headers['x-atlas-signature']) }
  }

  clock.advance(24 * 3_600_000 - 1)
  await publish(running, partnerId, ['account.linked'])
  await app.outbox.settle()
  const within = last()
  constructEvent(within.raw, within.header, rotated.body.secret, clock.now())
  constructEvent(within.raw, within.header, old.secret, clock.now())
  assert.ok(verify(within.raw, within.bodyHeader, rotated.body.secret))
  assert.ok(
    within.header.indexOf(signBody(within.raw, [rotated.body.secret], clock.now())['atlas-signature']) === 0,
    'the new secret signs first'
  )

  clock.advance(1)
  await publish(running, partnerId, ['account.linked'])
  await app.outbox.settle()
  const after = last()
  constructEvent(after.raw, after.header, rotated.body.secret, clock.now())
  assert.throws(() => constructEvent(after.raw, after.header, old.secret, clock.now()))
})

test('every secret of the last 24 hours signs, so a lost rotation response does no harm', async (t) => {
  const { app, url, clock, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  const receiver = await startReceiver(t)
  const hook = await hookFor(api, receiver.url)
  const rotate = async () => await api('POST', `/v1/webhooks/${hook.id}/rotate-secret`)
  const secrets = [hook.secret]
  for (let hour = 1; hour <= 5; hour++) {
    clock.advance(3_600_000)
    secrets.push((await rotate()).body.secret)
  }
  const signing = async (): Promise<string[]> => {
    await api('POST', `/v1/webhooks/${hook.id}/test`)
    await app.outbox.settle()
    const { raw, headers } = receiver.received.at(-1)!
    const header = String(headers['atlas-signature'])
    const newest = secrets.at(-1)!
    assert.ok(verify(raw, String(headers['x-atlas-signature']), newest))
    const valid = secrets.filter((secret) => {
      const [, signature = ''] = signBody(raw, [secret], clock.now())['atlas-signature'].split(',')
      return header.includes(signature)
    })
    assert.equal(header.split(',').length, 1 + valid.length, 'and nothing else signs')
    return valid
  }
  assert.deepEqual(await signing(), secrets)

  clock.advance(20 * 3_600_000 - 1)
  assert.deepEqual(await signing(), secrets)
  clock.advance(1)
  assert.deepEqual(await signing(), secrets.slice(1), 'the first expires 24 hours after the first rotation')
  clock.advance(2 * 3_600_000)
  assert.deepEqual(await signing(), secrets.slice(3))
})

test('a sixth rotation within 24 hours is rejected, and invalidates no secret', async (t) => {
  const { url, clock, database } = await startApp(t)
  const api = createApi(url, (await createPartner(database.db)).key)
  const hook = await hookFor(api, 'https://hooks.example.com/atlas')
  const rotate = async () => await api('POST', `/v1/webhooks/${hook.id}/rotate-secret`)
  const stored = () => database.db.selectFrom('webhooks').select(['secret', 'old_secrets']).executeTakeFirstOrThrow()
  const answers = await Promise.all(Array.from({ length: 7 }, rotate))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 200, 200, 200, 200, 422, 422])
  const before = await stored()
  const refused = await rotate()
  assert.deepEqual(
    [refused.status, refused.body.title, refused.body.detail],
    [
      422,
      'rotation_limit_reached',
      'The secret was rotated 5 times within 24 hours. Rotate it again after 2026-06-15T18:00:00.000Z.'
    ]
  )
  assert.deepEqual(await stored(), before)
  clock.advance(24 * 3_600_000)
  assert.equal((await rotate()).status, 200)
  assert.equal((await stored()).old_secrets.length, 1, 'expired ones are dropped')
})
