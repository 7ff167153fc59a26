import assert from 'node:assert/strict'
import { test } from 'tap'
import { AtlasSignatureError, verifyWebhook } from '../../client/index.ts'
import { signBody } from '../../modules/webhooks/signatures.ts'

const at = new Date('2026-06-14T18:00:00Z')
const rawBody = JSON.stringify({
  id: 'evt_1',
  type: 'transfer.settled',
  created_at: at.toISOString(),
  data: { transfer_id: 'tfr_1', note: 'café ✓' }
})
const secret = 'whsec_one'
const signed = signBody(rawBody, [secret], at)

test('a signed delivery verifies in both schemes, as text and as bytes, with headers in any form', async () => {
  const forms = [
    new Headers({ ...signed }),
    { ...signed },
    { 'Atlas-Signature': [signed['atlas-signature']], 'X-Atlas-Signature': signed['x-atlas-signature'] }
  ]
  for (const headers of forms) {
    for (const body of [rawBody, new TextEncoder().encode(rawBody)]) {
      for (const scheme of ['Atlas-Signature', 'X-Atlas-Signature'] as const) {
        const event = await verifyWebhook({ rawBody: body, headers, secret, scheme, now: at })
        assert.equal(event.id, 'evt_1')
        assert.equal(event.type === 'transfer.settled' && event.data.transfer_id, 'tfr_1')
      }
    }
  }
})

test('during a rotation, a receiver with either the old or the new secret accepts deliveries', async () => {
  const both = signBody(rawBody, ['whsec_new', 'whsec_old'], at)
  for (const known of ['whsec_new', 'whsec_old'])
    await verifyWebhook({ rawBody, headers: { ...both }, secret: known, now: at })
  await verifyWebhook({ rawBody, headers: { ...signed }, secrets: ['whsec_next', secret], now: at })
})

test('another body, another secret, an old or future time, and a missing or mangled header are rejected', async () => {
  const refused = (more: Partial<Parameters<typeof verifyWebhook>[0]>) =>
    assert.rejects(verifyWebhook({ rawBody, headers: { ...signed }, secret, now: at, ...more }), AtlasSignatureError)
  await refused({ rawBody: rawBody.replace('tfr_1', 'tfr_2') })
  await refused({ secret: 'whsec_two' })
  await refused({ now: new Date(at.getTime() + 301_000) })
  await refused({ now: new Date(at.getTime() - 301_000) })
  await refused({ now: new Date(at.getTime() + 11_000), toleranceSeconds: 10 })
  await refused({ headers: {} })
  for (const header of [
    '',
    't=,v1=00',
    `t=1781460000`,
    `t=x,v1=${'0'.repeat(64)}`,
    'v1=zz',
    signed['atlas-signature'].replace(/v1=.{10}/, 'v1=')
  ]) {
    await refused({ headers: { 'atlas-signature': header } })
  }
  await refused({ scheme: 'X-Atlas-Signature', headers: { 'x-atlas-signature': `sha256=${'0'.repeat(64)}` } })
})

test('an old delivery is rejected even when its timed signature is left out', async () => {
  const headers = { 'x-atlas-signature': signed['x-atlas-signature'] }
  await assert.rejects(
    verifyWebhook({ rawBody, headers, secret, now: new Date(at.getTime() + 86_400_000) }),
    AtlasSignatureError
  )
})

test('verifying without a secret throws a TypeError, not a signature error', async () => {
  await assert.rejects(verifyWebhook({ rawBody, headers: { ...signed }, now: at }), TypeError)
  await assert.rejects(verifyWebhook({ rawBody, headers: { ...signed }, secret: '', now: at }), TypeError)
})
