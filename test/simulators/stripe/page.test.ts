import assert from 'node:assert/strict'
import fc from 'fast-check'
import { before, t, test } from 'tap'
import { escapeHtml, formatAmount, messagePage, paymentPage } from '../../../simulators/stripe/checkout-html.ts'
import type { SessionRow } from '../../../simulators/stripe/tables.ts'
import { openWorld, press, sessionParams, type World } from './world.ts'

let world: World
before(async () => {
  world = await openWorld()
})
t.teardown(async () => {
  await world.close()
})

const hostile = '</bdi><script>alert(1)</script><img src=x onerror="alert(2)">\'"&\u202e'

test('a hostile name, description and address are rendered as text', async () => {
  const session = await world.stripe.checkout.sessions.create(
    sessionParams({
      line_items: [
        {
          quantity: 3,
          price_data: { currency: 'usd', unit_amount: 1000, product_data: { name: hostile, description: hostile } }
        }
      ],
      payment_intent_data: { description: hostile },
      success_url: 'http://shop.example/?a="><script>alert(3)</script>'.replaceAll(' ', ''),
      cancel_url: 'http://shop.example/"onmouseover="alert(4)'
    })
  )
  const open = await (await fetch(String(session.url))).text()
  await press(session, 'pay')
  const paid = await (await fetch(String(session.url))).text()
  for (const html of [open, paid]) {
    assert.doesNotMatch(html, /<script|<img|onerror="|"onmouseover/)
    assert.equal(html.match(/<form/g)?.length ?? 0, html === open ? 2 : 0)
  }
  assert.equal(open.split('&lt;script&gt;alert(1)').length, 4)
  assert.match(open, /\$30\.00/)
})

test("the policy allows the page's own style, its forms and their targets, and nothing else", async () => {
  const session = await world.stripe.checkout.sessions.create(
    sessionParams({ cancel_url: 'https://other.example:8443/x?y' })
  )
  const page = await fetch(String(session.url))
  const policy = String(page.headers.get('content-security-policy'))
  assert.deepEqual(policy.replace(/sha256-[\w+/=]+/, 'hash').split('; '), [
    "default-src 'none'",
    "style-src 'hash'",
    "form-action 'self' http://shop.example https://other.example:8443",
    "base-uri 'none'",
    "frame-ancestors 'none'"
  ])
  assert.equal(page.headers.get('x-content-type-options'), 'nosniff')
  assert.equal(page.headers.get('cache-control'), 'no-store')
  const html = await page.text()
  assert.doesNotMatch(html, /https?:\/\/|\bsrc=|<link|style="/)
  assert.match(html, /<html lang="en">/)
})

test('an unknown page gets 404, and without a cancel_url there is no cancel button', async () => {
  const { cancel_url: _, ...params } = sessionParams()
  const session = await world.stripe.checkout.sessions.create(params)
  assert.doesNotMatch(await (await fetch(String(session.url))).text(), /value="cancel"/)
  assert.equal((await press(session, 'cancel')).status, 400)
  const gone = { url: String(session.url).replace(session.id, 'cs_test_none') }
  assert.equal((await fetch(gone.url)).status, 404)
  assert.equal((await press(gone, 'pay')).status, 404)
  const garbage = await fetch(String(session.url), { method: 'POST', body: new URLSearchParams({ 'a[[': '1' }) })
  assert.equal(garbage.status, 400)
})

test('the redirect works with characters that are not allowed in a header', async () => {
  const success = 'http://shop.example/grüße/✓?id={CHECKOUT_SESSION_ID}'
  const session = await world.stripe.checkout.sessions.create(sessionParams({ success_url: success }))
  const paid = await press(session, 'pay')
  assert.equal(paid.headers.get('location'), `http://shop.example/gr%C3%BC%C3%9Fe/%E2%9C%93?id=${session.id}`)
})

test('no text can open a tag or an attribute', async () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('<', '>', '"', "'", '&', 'a', '=', ' ', '/', '\u202e') }), (text) => {
      assert.doesNotMatch(escapeHtml(text), /[<>"']/)
      const tagsOf = (html: string): string => (html.match(/<[^>]*>/g) ?? []).join('')
      assert.equal(tagsOf(messagePage('t', text)), tagsOf(messagePage('t', 'x')))
      assert.equal(tagsOf(paymentPage(row(text))), tagsOf(paymentPage(row('x'))))
    })
  )
})

test("amounts are formatted with the currency's own decimals", async () => {
  assert.equal(formatAmount(1050, 'usd'), '$10.50')
  assert.equal(formatAmount(1050, 'jpy'), '¥1,050')
})

const row = (text: string): SessionRow => {
  const payment = {
    description: text,
    metadata: {},
    receiptEmail: null,
    statementDescriptorSuffix: null,
    customerEmail: null
  }
  return {
    id: 'cs_test_1',
    sequence: 1,
    status: 'open',
    currency: 'usd',
    amount_cents: 1000,
    payment_intent_id: null,
    created_at: new Date(0),
    expires_at: new Date(1),
    details: {
      lineItems: [
        {
          id: 'li',
          priceId: 'price',
          productId: 'prod',
          name: text,
          description: text,
          unitAmountCents: 1000,
          quantity: 1
        }
      ],
      clientReferenceId: null,
      metadata: {},
      successUrl: 'http://shop.example',
      cancelUrl: null,
      customerEmail: null,
      locale: null,
      submitType: null,
      payment
    }
  }
}
