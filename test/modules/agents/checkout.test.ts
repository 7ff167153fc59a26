import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Stripe from 'stripe'
import { test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import {
  buy,
  closeDispute,
  control,
  dispute,
  owedBy,
  press,
  refund,
  sessionOf,
  signed,
  simulatorOf
} from './payments.ts'
import { createOwner, openWorld, type World } from './world.ts'

/** Opens the return page as a browser does. */
const returnPage = async ({ url }: World, query: string): Promise<[text: string, status: number, headers: Headers]> => {
  const accept = 'text/html,application/xhtml+xml,*/*;q=0.8'
  const response = await fetch(`${url}/checkout/return${query}`, { headers: { accept } })
  assert.match(response.headers.get('content-type') ?? '', /^text\/html/)
  return [await response.text(), response.status, response.headers]
}

test('buying credits', async (t) => {
  const world = await openWorld(t)
  const { as, asOwner } = world
  const simulator = simulatorOf(world)
  const heal = () =>
    Object.keys(simulator.faults).forEach((name) => delete simulator.faults[name as keyof typeof simulator.faults])

  await t.test('a payment books 100 credits a dollar for an agent that the checkout created and claimed', async () => {
    await buy(world, 'buyer', 25)
    const { body } = await as(undefined, 'GET', '/api/balance?agent_id=buyer')
    assert.equal(body.agent.balance, 2500)
    assert.deepEqual(
      body.recent_transactions.map(({ type, amount, description }: Record<string, unknown>) => [
        type,
        amount,
        description
      ]),
      [['earn', 2500, 'Top-up: 2500 credits']]
    )
    assert.equal((await asOwner('GET', '/api/status?agent_id=buyer')).body.is_owner, true)
    assert.ok((await world.eventTypes()).includes('agent.topup'))
  })

  await t.test('a checkout requires a session and an amount of 10 to 500 dollars in whole cents', async () => {
    for (const amount of [9.99, 500.01, 0, -10, 10.005, '25'])
      assert.equal((await asOwner('POST', '/api/checkout', { agent_id: 'buyer', amount })).status, 400, String(amount))
    assert.equal((await as(undefined, 'POST', '/api/checkout', { agent_id: 'buyer', amount: 25 })).status, 401)
    await buy(world, 'odd', 12.34)
    assert.equal(await world.balance('odd'), 1234)
  })

  await t.test('one session pays once: repeated clicks and events book nothing more', async () => {
    simulator.faults.duplicates = 3
    simulator.faults.duplicatesAtOnce = true
    const { url } = await buy(world, 'once', 10)
    heal()
    await Promise.all(Array.from({ length: 5 }, () => press(url, 'pay')))
    await simulator.settled()
    assert.equal(await world.balance('once'), 1000)
  })

  await t.test('a retried checkout with the same key returns the same page', async () => {
    const responses = await Promise.all(
      ['', ''].map(
        async () =>
          (await asOwner('POST', '/api/checkout', { agent_id: 'buyer', amount: 10 }, { 'idempotency-key': 'c1' })).body
      )
    )
    const again = (
      await asOwner('POST', '/api/checkout', { agent_id: 'buyer', amount: 10 }, { 'idempotency-key': 'c1' })
    ).body
    assert.ok(responses.some((response) => response.checkout_url === again.checkout_url))
  })

  await t.test('an event without Stripe’s signature, or with an old one, is rejected', async () => {
    const payload = JSON.stringify({
      id: 'evt_forged',
      object: 'event',
      type: 'checkout.session.completed',
      data: { object: {} }
    })
    const post = (headers: Record<string, string>) => as(undefined, 'POST', '/v1/stripe/webhook', payload, headers)
    assert.deepEqual(
      [(await post({})).status, (await post({ 'stripe-signature': 't=1,v1=00' })).body.error],
      [400, 'invalid_signature']
    )
    const sign = (timestamp: number, secret = world.config.stripe.webhookSecret) =>
      new Stripe('sk_test_none').webhooks.generateTestHeaderString({ payload, secret, timestamp })
    const now = Math.floor(world.clock.now().getTime() / 1000)
    assert.equal((await post({ 'stripe-signature': sign(now - 301) })).status, 400)
    assert.equal((await post({ 'stripe-signature': sign(now, 'whsec_other') })).status, 400)
    assert.deepEqual((await post({ 'stripe-signature': sign(now) })).body, { received: true })
  })

  await t.test('refunds take back credits, in parts, up to the amount paid', async () => {
    const { paymentIntent } = await buy(world, 'refunded', 30)
    await refund(world, paymentIntent, 10)
    assert.equal(await world.balance('refunded'), 2000)
    await refund(world, paymentIntent, 20)
    assert.equal(await world.balance('refunded'), 0)
    assert.equal(await owedBy(world, 'refunded'), 0)
  })

  await t.test('credits spent before a refund or a dispute are recorded as owed', async () => {
    for (const [agentId, reverse] of [
      ['spender', refund],
      ['disputed', dispute]
    ] as const) {
      const { paymentIntent } = await buy(world, agentId, 20)
      const key = (await asOwner('GET', `/api/status?agent_id=${agentId}`)).body.agent.api_key
      await as(key, 'POST', '/api/spend', { amount: 1500 })
      await reverse(world, paymentIntent, 20)
      assert.deepEqual([await world.balance(agentId), await owedBy(world, agentId)], [0, 1500])
    }
  })

  await t.test('events in reverse order give the same balance', async () => {
    simulator.faults.hold = true
    const { paymentIntent } = await buy(world, 'scrambled', 40)
    await refund(world, paymentIntent, 15)
    assert.equal(await world.balance('scrambled'), 0)
    heal()
    await control(world, '/simulator/events/release', { order: 'newest_first' })
    await simulator.settled()
    assert.equal(await world.balance('scrambled'), 2500)
  })

  await t.test('winning a dispute gives back the credits and cancels the debt, once', async () => {
    const { paymentIntent } = await buy(world, 'winner', 20)
    const key = (await asOwner('GET', '/api/status?agent_id=winner')).body.agent.api_key
    await as(key, 'POST', '/api/spend', { amount: 1500 })
    const id = await dispute(world, paymentIntent)
    assert.deepEqual([await world.balance('winner'), await owedBy(world, 'winner')], [0, 1500])
    simulator.faults.duplicates = 2
    await closeDispute(world, id, 'won')
    heal()
    assert.deepEqual([await world.balance('winner'), await owedBy(world, 'winner')], [500, 0])
    const { body } = await as(undefined, 'GET', '/api/balance?agent_id=winner')
    assert.deepEqual(
      body.recent_transactions.map(({ type, amount, description }: Record<string, unknown>) => [
        type,
        amount,
        description
      ])[0],
      ['earn', 500, 'Dispute won: 500 credits']
    )
  })

  await t.test('losing a dispute gives nothing back', async () => {
    const { paymentIntent } = await buy(world, 'loser', 20)
    await closeDispute(world, await dispute(world, paymentIntent), 'lost')
    assert.deepEqual([await world.balance('loser'), await owedBy(world, 'loser')], [0, 0])
  })

  await t.test('winning a dispute does not undo an earlier refund', async () => {
    const { paymentIntent } = await buy(world, 'partly', 30)
    await refund(world, paymentIntent, 10)
    const id = await dispute(world, paymentIntent)
    assert.equal(await world.balance('partly'), 0)
    await closeDispute(world, id, 'won')
    assert.equal(await world.balance('partly'), 2000)
  })

  await t.test('events of payment, dispute and its closing give the same balance in either order', async () => {
    for (const order of ['oldest_first', 'newest_first']) {
      simulator.faults.hold = true
      const { paymentIntent } = await buy(world, `order-${order}`, 40)
      const id = await dispute(world, paymentIntent)
      await closeDispute(world, id, 'won')
      assert.equal((await as(undefined, 'GET', `/api/balance?agent_id=order-${order}`)).body.agent.balance, 0)
      heal()
      await control(world, '/simulator/events/release', { order })
      await simulator.settled()
      assert.deepEqual([await world.balance(`order-${order}`), await owedBy(world, `order-${order}`)], [4000, 0], order)
    }
  })

  await t.test('an inquiry that becomes a dispute takes the credits when the money is withdrawn', async () => {
    const { paymentIntent } = await buy(world, 'inquired', 20)
    const send = async (type: string, status: string) => {
      const object = { id: 'du_inquiry', object: 'dispute', status, amount: 2000, payment_intent: paymentIntent }
      assert.equal((await signed(world, { id: `evt_${type}`, type, data: { object } })).status, 200)
    }
    await send('charge.dispute.created', 'warning_needs_response')
    assert.equal(await world.balance('inquired'), 2000)
    await send('charge.dispute.funds_withdrawn', 'needs_response')
    assert.equal(await world.balance('inquired'), 0)
    await send('charge.dispute.closed', 'won')
    await send('charge.dispute.funds_reinstated', 'won')
    assert.equal(await world.balance('inquired'), 2000)
  })

  await t.test('an unpaid session expires and books nothing', async () => {
    const { body } = await asOwner('POST', '/api/checkout', { agent_id: 'idle', amount: 10 })
    world.clock.advance(25 * 3_600_000)
    await world.app.jobs.run('expire payment sessions of the simulator')
    await simulator.settled()
    assert.equal((await press(body.checkout_url, 'pay')).status, 410)
    const payment = await world.database.db
      .selectFrom('stripe_payments')
      .select('status')
      .where('session_id', '=', sessionOf(body.checkout_url))
      .executeTakeFirst()
    assert.equal(payment?.status, 'expired')
    assert.equal(await world.balance('idle'), 0)
  })

  await t.test('a user’s session cannot fund another user’s agent', async () => {
    const stranger = await (await createOwner(world)).token()
    assert.equal(
      (await as(stranger, 'POST', '/api/checkout', { agent_id: 'buyer', amount: 10 })).body.error,
      'not_owner'
    )
  })

  await t.test('the return page shows the state, the amount, the agent and the balance of a payment', async () => {
    const open = (await asOwner('POST', '/api/checkout', { agent_id: 'returning', amount: 12.34 })).body.checkout_url
    const [body, , headers] = await returnPage(world, `?session_id=${sessionOf(open)}`)
    assert.match(body, /<h1>Not confirmed yet[^]*\$12\.34[^]*returning[^]*0 credits[^]*Check again/)
    assert.deepEqual([headers.get('cache-control'), headers.get('referrer-policy')], ['no-store', 'no-referrer'])
    assert.equal((await press(open, 'pay')).status, 303)
    await simulator.settled()
    const [paid] = await returnPage(world, `?session_id=${sessionOf(open)}`)
    assert.match(paid, /<h1>Thank you[^]*\$12\.34[^]*1,234 credits[^]*returning[^]*1,234 credits/)
    assert.match(paid, /href="\/api\/balance\?agent_id=returning"[^]*href="\/"/)
    assert.equal((await returnPage(world, `?session_id=${sessionOf(open)}&agent_id=buyer`))[1], 404)
    const { url, paymentIntent } = await buy(world, 'returned', 10)
    await refund(world, paymentIntent, 10)
    const [refunded] = await returnPage(world, `?session_id=${sessionOf(url)}`)
    assert.match(refunded, /<h1>Paid, then taken back[^]*Taken back<\/dt><dd><bdi>1,000 credits[^]*0 credits/)
  })

  await t.test('the return page never says paid without a payment, and escapes the agent’s name', async () => {
    const cancelUrl = '?outcome=cancelled&agent_id=buyer'
    assert.match((await returnPage(world, cancelUrl))[0], /<h1>Nothing was paid[^]*buyer[^]*credits/)
    assert.match((await returnPage(world, '?outcome=cancelled&agent_id=unknown'))[0], /<h1>Nothing was paid/)
    for (const query of [
      '',
      '?outcome=paid',
      '?session_id=cs_test_unknown',
      `?session_id=${encodeURIComponent('<b>')}`
    ]) {
      const [page, status] = await returnPage(world, query)
      assert.equal(status, 404)
      assert.match(page, /^<!doctype html>[^]*not_found/)
      assert.doesNotMatch(page, /Thank you|<b>/)
      assert.equal((await as(undefined, 'GET', `/checkout/return${query}`)).body.error, 'not_found')
    }
    await asOwner('POST', '/api/register', { agent_id: 'marked', name: '<img src=x onerror=alert(1)>' })
    const [named] = await returnPage(world, '?outcome=cancelled&agent_id=marked')
    assert.ok(named.includes('&lt;img src=x') && !named.includes('<img'))
  })

  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})

test('a checkout while Stripe is unreachable gets 502 and changes nothing', async (t) => {
  const world = await openWorld(t)
  await simulatorOf(world).api.close()
  const { status, body } = await world.asOwner('POST', '/api/checkout', { agent_id: 'unknown', amount: 10 })
  assert.deepEqual([status, body.error], [502, 'upstream_unavailable'])
  assert.deepEqual((await world.as(undefined, 'GET', '/api/status?agent_id=unknown')).body, { exists: false })
})

const chromium = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'

test(
  'a purchase in a browser adds the credits to the balance',
  { skip: existsSync(chromium) ? false : `no browser at ${chromium}` },
  async (t) => {
    const world = await openWorld(t)
    const { chromium: launcher } = await import('playwright-core')
    const profile = mkdtempSync(join(tmpdir(), 'atlas-browser-'))
    const context = await launcher.launchPersistentContext(profile, {
      executablePath: chromium,
      headless: true,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    })
    t.teardown(async () => {
      await context.close()
      rmSync(profile, { recursive: true, force: true })
    })
    const page = await context.newPage()
    const checkout = async (): Promise<string> =>
      (await world.asOwner('POST', '/api/checkout', { agent_id: 'browsing', amount: 25 })).body.checkout_url

    await page.goto(await checkout())
    assert.match(await page.innerText('body'), /25\.00/)
    await page.click('button[value=cancel]')
    await page.waitForURL('**/checkout/return?outcome=cancelled&agent_id=browsing')
    assert.match(await page.innerText('h1'), /Nothing was paid/)
    assert.equal(await world.balance('browsing'), 0)

    await page.goto(await checkout())
    await page.click('button[value=pay]')
    await page.waitForURL('**/checkout/return?session_id=cs_test_*')
    await simulatorOf(world).settled()
    await page.reload()
    assert.match(await page.innerText('h1'), /Thank you/)
    assert.match(await page.innerText('main'), /\$25\.00\s[^]*2,500 credits/)
    assert.equal(await world.balance('browsing'), 2500)
    await page.click('text=Back to AtlasForge')
    await page.waitForURL('**/docs')
  }
)
