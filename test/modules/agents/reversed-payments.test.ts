import assert from 'node:assert/strict'
import fc from 'fast-check'
import { sql } from 'kysely'
import { test } from 'tap'
import { reversedCentsOf } from '../../../modules/agents/reversals.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { search } from '../../search.ts'
import { buy, closeDispute, dispute, endRefund, owedBy, refund, signed, simulatorOf } from './payments.ts'
import { openWorld } from './world.ts'

test('payments that are reversed', async (t) => {
  const world = await openWorld(t)
  const { as, asOwner } = world
  const keyOf = async (agentId: string): Promise<string> =>
    (await asOwner('GET', `/api/status?agent_id=${agentId}`)).body.agent.api_key
  const spend = async (agentId: string, amount: number): Promise<number> =>
    (await as(await keyOf(agentId), 'POST', '/api/spend', { amount })).status
  const statusOf = async (agentId: string): Promise<string> =>
    (await as(undefined, 'GET', `/api/status?agent_id=${agentId}`)).body.agent.status

  await t.test('a refund that fails or is cancelled gives the credits back, once', async () => {
    for (const status of ['failed', 'canceled'] as const) {
      const agentId = `refund-${status}`
      const { paymentIntent } = await buy(world, agentId, 30)
      const id = await refund(world, paymentIntent, 20)
      assert.equal(await world.balance(agentId), 1000)
      simulatorOf(world).faults.duplicates = 2
      await endRefund(world, id, status)
      delete simulatorOf(world).faults.duplicates
      assert.equal(await world.balance(agentId), 3000)
      const [latest] = (await as(undefined, 'GET', `/api/balance?agent_id=${agentId}`)).body.recent_transactions
      assert.deepEqual([latest.type, latest.amount, latest.description], ['earn', 2000, 'Refund failed: 2000 credits'])
    }
  })

  await t.test('a failed refund of spent credits first cancels the debt', async () => {
    const { paymentIntent } = await buy(world, 'spent-refund', 20)
    assert.equal(await spend('spent-refund', 1500), 200)
    const id = await refund(world, paymentIntent, 20)
    assert.deepEqual([await world.balance('spent-refund'), await owedBy(world, 'spent-refund')], [0, 1500])
    await endRefund(world, id, 'failed')
    assert.deepEqual([await world.balance('spent-refund'), await owedBy(world, 'spent-refund')], [500, 0])
  })

  await t.test('events of refunds give the same balance in any order and when repeated', async () => {
    let payments = 0
    const orders = fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7], { minLength: 8 })
    await fc.assert(
      fc.asyncProperty(orders, fc.boolean(), fc.boolean(), async (order, isCounted, isKnown) => {
        const name = `shuffled-${payments++}`
        await world.fund(name, 0)
        const ids = { payment_intent: `pi_${name}`, charge: `ch_${name}` }
        const failing = { ...ids, id: `re_${name}_1`, amount: 800, currency: 'usd' }
        const lasting = { ...ids, id: `re_${name}_2`, amount: 500, currency: 'usd', status: 'succeeded' }
        const charge = { id: ids.charge, payment_intent: ids.payment_intent, currency: 'usd' }
        const session = {
          id: `cs_${name}`,
          payment_status: 'paid',
          payment_intent: ids.payment_intent,
          amount_total: 2000,
          currency: 'usd',
          metadata: { agent_id: name, amount_cents: '2000' }
        }
        const events = [
          ['checkout.session.completed', session],
          ['charge.refunded', { ...charge, amount_refunded: 800 }],
          // A charge may or may not still count a failed refund, and the events of some refunds never arrive.
          ['charge.refunded', { ...charge, amount_refunded: isCounted ? 1300 : 800 }],
          ['refund.created', isKnown || !isCounted ? lasting : { ...failing, status: 'pending' }],
          ['refund.created', { ...failing, status: 'succeeded' }],
          ['refund.failed', { ...failing, status: 'failed' }],
          ['charge.refund.updated', { ...failing, status: 'failed' }],
          ['refund.updated', { ...failing, status: 'failed' }]
        ] as const
        const send = async (index: number) => {
          const [type, object] = events[index] ?? events[0]
          assert.equal((await signed(world, { id: `evt_${name}_${index}`, type, data: { object } })).status, 200)
        }
        for (const index of order) await send(index)
        for (const index of order.slice(0, 2)) await send(index)
        assert.deepEqual([await world.balance(name), await owedBy(world, name)], [1500, 0])
      }),
      search(15)
    )
  })

  await t.test(
    'a refund in the buyer’s currency reverses its share, one in an unknown currency everything',
    async () => {
      const payment = { amountCents: 2500, presentedAmount: 2300, presentedCurrency: 'eur' }
      const take = (amount: number, currency: string) =>
        reversedCentsOf(payment, [{ kind: 'refund', amount, currency, isVoid: false }])
      assert.deepEqual(
        [take(1000, 'usd'), take(1150, 'eur'), take(2300, 'eur'), take(9999, 'eur'), take(1, 'gbp')],
        [1000, 1250, 2500, 2500, 2500]
      )
    }
  )

  await t.test('an agent with a debt is paused, its owner is notified, and only a purchase resumes it', async () => {
    const { paymentIntent } = await buy(world, 'debtor', 20)
    assert.equal(await spend('debtor', 1500), 200)
    await dispute(world, paymentIntent)
    assert.deepEqual([await statusOf('debtor'), await owedBy(world, 'debtor')], ['paused', 1500])
    const { items } = (await asOwner('GET', '/api/v1/notifications')).body
    assert.match(items[0].message, /debtor owes 1500 credits/)
    assert.equal(await spend('debtor', 1), 403)
    const refused = await asOwner('POST', '/api/agents/debtor/resume')
    assert.deepEqual([refused.status, refused.body.error, refused.body.owed], [409, 'agent_owes', 1500])
    await buy(world, 'debtor', 10)
    assert.deepEqual(
      [await world.balance('debtor'), await owedBy(world, 'debtor'), await statusOf('debtor')],
      [0, 500, 'paused']
    )
    await buy(world, 'debtor', 10)
    assert.deepEqual(
      [await world.balance('debtor'), await owedBy(world, 'debtor'), await statusOf('debtor')],
      [500, 0, 'active']
    )
    const { transactions } = (await asOwner('GET', '/api/agents/debtor/transactions')).body
    assert.deepEqual(
      transactions.slice(0, 4).map(({ type, amount }: { type: string; amount: number }) => [type, amount]),
      [
        ['refund', -500],
        ['earn', 1000],
        ['refund', -1000],
        ['earn', 1000]
      ]
    )
    assert.equal(await spend('debtor', 500), 200)
  })

  await t.test('clearing a debt does not resume an agent that its owner has paused', async () => {
    const { paymentIntent } = await buy(world, 'stopped', 20)
    await spend('stopped', 2000)
    const id = await dispute(world, paymentIntent)
    assert.equal((await asOwner('POST', '/api/agents/stopped/pause')).status, 200)
    await closeDispute(world, id, 'won')
    assert.deepEqual([await owedBy(world, 'stopped'), await statusOf('stopped')], [0, 'paused'])
    assert.equal((await asOwner('POST', '/api/agents/stopped/resume')).status, 200)
    assert.equal(await statusOf('stopped'), 'active')
  })

  await t.test('the database rejects an active agent with a debt, and a reversal above its payment', async () => {
    const { db } = world.database
    const { paymentIntent } = await buy(world, 'bound', 10)
    await spend('bound', 1000)
    await refund(world, paymentIntent, 10)
    await assert.rejects(
      sql`update agents set status = 'active', pause_reason = null where agent_id = 'bound'`.execute(db)
    )
    await assert.rejects(sql`update agents set owed_cents = 0 where agent_id = 'bound'`.execute(db))
    await assert.rejects(
      sql`update stripe_payments set reversed_cents = credits_cents + 1 where agent_id = 'bound'`.execute(db)
    )
  })

  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})
