import assert from 'node:assert/strict'
import { test } from 'tap'
import { send } from '../../credentials.ts'
import { createOwner, openWorld } from './world.ts'

/** A problem without the members whose values vary. */
const core = ({
  type: _type,
  title: _title,
  status: _status,
  detail: _detail,
  requestId: _requestId,
  message: _message,
  ...rest
}: Record<string, unknown>) => rest

test('the examples of the API reference of agents', async (t) => {
  const world = await openWorld(t)
  const { url, clock, as, asOwner } = world
  let key = ''

  await t.test('registering returns 201 with a key, or 200 without one for an existing agent', async () => {
    const first = await as(undefined, 'POST', '/api/register', { agent_id: 'my-agent-001', name: 'My Trading Bot' })
    assert.equal(first.status, 201)
    key = first.body.api_key
    assert.match(key, /^afg_live_[A-Za-z0-9]{40}$/)
    assert.deepEqual(first.body, { ok: true, agent_id: 'my-agent-001', api_key: key, message: 'registered' })
    const again = await as(undefined, 'POST', '/api/register', { agent_id: 'my-agent-001' })
    assert.equal(again.status, 200)
    assert.deepEqual(again.body, { ok: true, agent_id: 'my-agent-001', message: 'already registered', claimed: false })
  })

  await t.test('a session with the agent’s key claims an agent without an owner', async () => {
    const { status, body } = await asOwner('POST', '/api/register', { agent_id: 'my-agent-001', api_key: key })
    assert.deepEqual([status, body.claimed, 'api_key' in body], [200, true, false])
  })

  await t.test('the balance is public, with the latest transactions', async () => {
    await world.database.db.transaction().execute((trx) =>
      world.app.ledger.post(trx, {
        walletId: 'my-agent-001',
        type: 'earn',
        amountCents: 100_000,
        description: 'Top-up: 1000 credits'
      })
    )
    const { status, body } = await as(undefined, 'GET', '/api/balance?agent_id=my-agent-001')
    assert.equal(status, 200)
    assert.deepEqual(body, {
      agent: { agent_id: 'my-agent-001', name: 'My Trading Bot', balance: 1000, is_verified: false },
      recent_transactions: [
        { type: 'earn', amount: 1000, description: 'Top-up: 1000 credits', created_at: clock.now().toISOString() }
      ]
    })
    const missing = await as(undefined, 'GET', '/api/balance?agent_id=unknown')
    assert.deepEqual([missing.status, core(missing.body)], [404, { error: 'agent_not_found' }])
  })

  await t.test('a direct spend takes the credits', async () => {
    const { status, body } = await as(key, 'POST', '/api/spend', {
      amount: 50,
      description: 'GPT-4 API call',
      require_approval: false,
      item_name: 'OpenAI completion',
      url: 'https://api.openai.com'
    })
    assert.equal(status, 200)
    assert.equal(Number.isInteger(body.transaction_id), true)
    assert.deepEqual(body, { ok: true, spent: 50, balance: 950, transaction_id: body.transaction_id })
  })

  await t.test('a spend above the balance gets 402 with the balance and the required amount', async () => {
    const { status, body } = await as(key, 'POST', '/api/spend', { amount: 950.01 })
    assert.equal(status, 402)
    assert.deepEqual(core(body), { error: 'insufficient_balance', balance: 950, required: 950.01 })
    assert.equal(body.message, body.detail)
  })

  await t.test('an amount that is not positive, has more than two decimals, or is text gets 400', async () => {
    for (const amount of [0, -5, 1.005, '50', null])
      assert.equal((await as(key, 'POST', '/api/spend', { amount })).status, 400, String(amount))
    assert.equal((await as(undefined, 'POST', '/api/spend', { amount: 5 })).status, 401)
  })

  await t.test(
    'a spend that requires approval waits, and approving it with a form takes the credits once',
    async () => {
      const requested = await as(key, 'POST', '/api/spend', {
        amount: 200,
        require_approval: true,
        item_name: 'GPUs',
        description: 'A day of GPUs'
      })
      assert.equal(requested.status, 200)
      const id = requested.body.approval_id
      assert.deepEqual(requested.body, {
        ok: false,
        pending: true,
        approval_id: id,
        message: 'Approval request submitted. Awaiting owner approval.'
      })
      assert.equal(await world.balance('my-agent-001'), 950)
      const form = { 'content-type': 'application/x-www-form-urlencoded' }
      const approved = await asOwner('POST', '/api/approve', `request_id=${id}`, form)
      assert.deepEqual([approved.status, approved.body], [200, { ok: true, status: 'approved' }])
      assert.equal(await world.balance('my-agent-001'), 750)
      const again = await asOwner('POST', '/api/approve', `request_id=${id}`, form)
      assert.deepEqual([again.status, core(again.body)], [409, { error: 'already_decided', decision: 'approved' }])
      const reject = await asOwner('POST', '/api/reject', { request_id: id })
      assert.equal(reject.status, 409)
      assert.equal(await world.balance('my-agent-001'), 750)
    }
  )

  await t.test('rejecting a request moves no credits', async () => {
    const { body } = await as(key, 'POST', '/api/spend', { amount: 10, require_approval: true })
    const rejected = await asOwner('POST', '/api/reject', `request_id=${body.approval_id}`, {
      'content-type': 'application/x-www-form-urlencoded'
    })
    assert.deepEqual([rejected.status, rejected.body], [200, { ok: true, status: 'rejected' }])
    assert.equal(await world.balance('my-agent-001'), 750)
  })

  await t.test('the status shows the key only to the owner', async () => {
    const anonymous = (await as(undefined, 'GET', '/api/status?agent_id=my-agent-001')).body
    assert.deepEqual(anonymous.agent, {
      agent_id: 'my-agent-001',
      name: 'My Trading Bot',
      balance: 750,
      status: 'active'
    })
    assert.deepEqual([anonymous.exists, anonymous.is_owner, anonymous.recent_transactions.length], [true, false, 3])
    const mine = (await asOwner('GET', '/api/status?agent_id=my-agent-001')).body
    assert.deepEqual([mine.is_owner, mine.agent.api_key], [true, key])
    const other = await createOwner(world)
    const theirs = (await as(await other.token(), 'GET', '/api/status?agent_id=my-agent-001')).body
    assert.deepEqual([theirs.is_owner, 'api_key' in theirs.agent], [false, false])
    assert.deepEqual((await as(undefined, 'GET', '/api/status?agent_id=unknown')).body, { exists: false })
  })

  await t.test('pausing stops spends, resuming allows them, and both are idempotent', async () => {
    for (let time = 0; time < 2; time++) {
      const paused = await asOwner('POST', '/api/agents/my-agent-001/pause')
      assert.deepEqual([paused.status, paused.body], [200, { ok: true, status: 'paused' }])
    }
    const refused = await as(key, 'POST', '/api/spend', { amount: 1 })
    assert.deepEqual([refused.status, core(refused.body)], [403, { error: 'agent_paused' }])
    assert.equal((await as(key, 'POST', '/api/spend', { amount: 1, require_approval: true })).status, 403)
    for (let time = 0; time < 2; time++) {
      const resumed = await asOwner('POST', '/api/agents/my-agent-001/resume')
      assert.deepEqual([resumed.status, resumed.body], [200, { ok: true, status: 'active' }])
    }
    assert.equal((await as(key, 'POST', '/api/spend', { amount: 1 })).status, 200)
  })

  await t.test('revoking requires confirmation, invalidates the key at once and is permanent', async () => {
    assert.equal((await asOwner('POST', '/api/agents/my-agent-001/revoke', { confirm: false })).status, 400)
    assert.equal((await asOwner('POST', '/api/agents/my-agent-001/revoke', {})).status, 400)
    const pending = (await as(key, 'POST', '/api/spend', { amount: 1, require_approval: true })).body.approval_id
    const revoked = await asOwner('POST', '/api/agents/my-agent-001/revoke', { confirm: true })
    assert.deepEqual([revoked.status, revoked.body], [200, { ok: true, status: 'revoked' }])
    assert.equal((await as(key, 'POST', '/api/spend', { amount: 1 })).status, 401)
    const rotated = (await asOwner('GET', '/api/status?agent_id=my-agent-001')).body.agent
    assert.equal(rotated.status, 'revoked')
    assert.notEqual(rotated.api_key, key)
    assert.equal((await as(rotated.api_key, 'POST', '/api/spend', { amount: 1 })).status, 401)
    for (const action of ['pause', 'resume']) {
      const refused = await asOwner('POST', `/api/agents/my-agent-001/${action}`)
      assert.deepEqual([refused.status, core(refused.body)], [409, { error: 'agent_revoked' }])
    }
    assert.equal((await asOwner('POST', '/api/approve', { request_id: pending })).body.error, 'agent_revoked')
    assert.equal(
      (await asOwner('POST', '/api/checkout', { agent_id: 'my-agent-001', amount: 10 })).body.error,
      'agent_revoked'
    )
    assert.equal((await asOwner('POST', '/api/agents/my-agent-001/revoke', { confirm: true })).status, 200)
    assert.equal(await world.balance('my-agent-001'), 749)
  })

  await t.test('only the owner can manage an agent', async () => {
    await world.fund('theirs', 100)
    const stranger = await (await createOwner(world)).token()
    for (const [path, body] of [
      ['pause', undefined],
      ['resume', undefined],
      ['revoke', { confirm: true }],
      ['limits', { daily_limit: 1 }]
    ] as const) {
      const refused = await as(stranger, 'POST', `/api/agents/theirs/${path}`, body)
      assert.deepEqual([refused.status, refused.body.error], [403, 'not_owner'], path)
      assert.equal((await as(undefined, 'POST', `/api/agents/theirs/${path}`, body)).status, 401)
      assert.equal((await asOwner('POST', `/api/agents/unknown/${path}`, body)).body.error, 'agent_not_found')
    }
    assert.equal(
      (await as(stranger, 'POST', '/api/checkout', { agent_id: 'theirs', amount: 10 })).body.error,
      'not_owner'
    )
    assert.equal((await as(stranger, 'GET', '/api/agents/theirs/transactions')).body.error, 'not_owner')
  })

  await t.test('spends, requests, decisions and status changes of agents are in the owner’s events', async () => {
    assert.deepEqual(await world.eventTypes(), [
      'agent.spend',
      'agent.approval_requested',
      'agent.approval_decided',
      'agent.spend',
      'agent.approval_requested',
      'agent.approval_decided',
      'agent.paused',
      'agent.resumed',
      'agent.spend',
      'agent.approval_requested',
      'agent.revoked'
    ])
  })

  await t.test('a retry with the same idempotency key replays the first spend and takes nothing', async () => {
    const another = await world.fund('keyed', 100)
    const spend = () =>
      send(url, 'POST', '/api/spend', { key: another, body: { amount: 30 }, headers: { 'idempotency-key': 'k1' } })
    const responses = [await spend(), await spend()]
    assert.equal(responses[0]?.text, responses[1]?.text)
    assert.equal(responses[1]?.headers.get('idempotent-replayed'), 'true')
    assert.equal(await world.balance('keyed'), 70)
  })
})
