import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { send } from '../../credentials.ts'
import { dayMs, raiseTo, startWorld } from './world.ts'

const world = await startWorld(t)

test('paying out, listing and repaying a loan return exactly the documented responses', async () => {
  const agent = await world.agent('my-agent-001')
  const score = await raiseTo(agent, 650)
  const { status, body } = await agent.borrow(500, 'compute budget Q2')
  const loan_id = Number(body.loan_id)
  const message = `500 credits disbursed. Repay via POST /api/loans/${loan_id}/repay.`
  assert.deepEqual(
    [status, body],
    [200, { ok: true, loan_id, requested: 500, approved: 500, score, limit: 1000, message }]
  )
  assert.equal(await agent.balance(), 500)
  const entries = async () =>
    (await world.app.ledger.history(world.database.db, agent.agentId, 10)).map(({ type, amountCents, description }) => [
      type,
      amountCents,
      description
    ])
  assert.deepEqual(await entries(), [['loan', 50_000, `Loan ${loan_id}`]])
  const booked = await world.database.db
    .selectFrom('ledger_transactions')
    .select('reference')
    .where('type', '=', 'loan')
    .execute()
  assert.deepEqual(booked, [{ reference: `loan:${loan_id}` }])

  assert.deepEqual((await agent.repay(loan_id, 200)).body, {
    ok: true,
    loan_id,
    repaid: 200,
    outstanding: 300,
    status: 'active'
  })
  assert.deepEqual(await agent.loans(), {
    agent_id: 'my-agent-001',
    loans: [
      {
        id: loan_id,
        amount: 500,
        amount_repaid: 200,
        outstanding: 300,
        status: 'active',
        purpose: 'compute budget Q2',
        requested_at: '2026-06-14T18:00:00.000Z',
        due_at: '2026-07-14T18:00:00.000Z',
        repaid_at: null
      }
    ],
    next_cursor: null,
    has_more: false
  })
  assert.deepEqual(
    (await agent.repay(loan_id, 9999)).body,
    { ok: true, loan_id, repaid: 300, outstanding: 0, status: 'repaid' },
    'too much is capped'
  )
  assert.equal(await agent.balance(), 0)
  assert.deepEqual((await entries()).slice(0, 2), [
    ['repayment', -30_000, `Repayment of loan ${loan_id}`],
    ['repayment', -20_000, `Repayment of loan ${loan_id}`]
  ])
  assert.equal((await agent.loans()).loans[0].repaid_at, '2026-06-14T18:00:00.000Z')
  const again = await agent.repay(loan_id, 1)
  assert.deepEqual([again.status, again.body.error, again.body.message], [409, 'already_repaid', again.body.detail])
  assert.match(again.body.detail, new RegExp(`Loan ${loan_id} .* on 2026-06-14\\.$`))
  assert.deepEqual(
    (await world.events(agent.agentId)).filter(({ type }) => type.startsWith('loan.')),
    [
      { type: 'loan.disbursed', data: { agent_id: agent.agentId, loan_id } },
      { type: 'loan.repaid', data: { agent_id: agent.agentId, loan_id } }
    ]
  )
  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})

test('a rejected request gives the numbers behind it, and what would change it', async () => {
  const poor = await world.agent('poor')
  await poor.report('payment_late')
  const { status, body } = await poor.borrow(100)
  const { error, message, score, minimum_score, next_band } = body
  assert.deepEqual(
    [status, error, score, minimum_score, next_band],
    [403, 'ineligible', 490, 550, { score: 550, limit: 200 }]
  )
  assert.match(message, /490 .* 60 points below 550; .* up to 200 credits/)
  const stranger = await (await world.agent('stranger', { enrolled: false })).borrow(100)
  assert.deepEqual(
    [stranger.status, stranger.body.error, stranger.body.message],
    [403, 'not_enrolled', stranger.body.detail]
  )
})

test('a score of 549 gets no loan, and 550 gets up to 200 credits', async () => {
  const agent = await world.agent('edge')
  // 500 + 200·4/14 + 50·days/730 − 10: 547.14 at first, a point more every 14.6 days.
  for (const reportType of ['payment_ontime', 'payment_ontime', 'payment_ontime', 'payment_ontime', 'payment_late'])
    await agent.report(reportType)
  world.clock.advance(34 * dayMs)
  assert.equal(await agent.score(), 549)
  assert.equal((await agent.borrow(1000)).status, 403)
  world.clock.advance(dayMs)
  assert.equal(await agent.score(), 550)
  const { status, body } = await agent.borrow(1000)
  assert.deepEqual([status, body.requested, body.approved, body.limit, body.score], [200, 1000, 200, 200, 550])
  assert.match(
    body.message,
    /^200 of 1000 credits disbursed, the limit for a score of 550; a score of 600 raises the limit to 500\./
  )
  assert.equal(await agent.balance(), 200)
})

test('the best band names no next band, and a larger request gets the limit', async () => {
  const agent = await world.agent('best')
  for (let time = 0; time < 5; time++) await agent.report('account_opened')
  await agent.report('debt_closed', 500)
  assert.equal(await raiseTo(agent, 750), 750)
  const { body } = await agent.borrow(9000)
  assert.deepEqual([body.requested, body.approved, body.limit, body.score], [9000, 5000, 5000, 750])
  assert.equal(
    body.message,
    `5000 of 9000 credits disbursed, the limit for a score of 750. Repay via POST /api/loans/${body.loan_id}/repay.`
  )
  const row = await world.database.db
    .selectFrom('loans')
    .select(['requested_cents', 'amount_cents', 'limit_cents', 'score', 'purpose'])
    .where('id', '=', body.loan_id)
    .execute()
  assert.deepEqual(row, [
    { requested_cents: 9000_00, amount_cents: 5000_00, limit_cents: 5000_00, score: 750, purpose: null }
  ])
})

test('fifty concurrent requests pay out one loan, and the others get a problem that names it', async () => {
  const agent = await world.agent('eager')
  await raiseTo(agent, 600)
  const answers = await Promise.all(Array.from({ length: 50 }, () => agent.borrow(500)))
  const granted = answers.filter(({ status }) => status === 200)
  assert.equal(granted.length, 1)
  for (const { body } of answers.filter(({ status }) => status !== 200)) {
    assert.deepEqual(
      [body.status, body.error, body.loan_id, body.outstanding],
      [409, 'existing_loan', granted[0]?.body.loan_id, 500]
    )
    assert.match(
      body.detail,
      new RegExp(`^Loan ${body.loan_id} has 500 credits outstanding\\. .* POST /api/loans/${body.loan_id}/repay`)
    )
  }
  assert.equal(await agent.balance(), 500)
  assert.equal((await agent.loans()).loans.length, 1)
})

test('fifty concurrent repayments take exactly the outstanding amount', async () => {
  const agent = await world.agent('generous')
  await raiseTo(agent, 600)
  await agent.topUp(1000)
  const { loan_id } = (await agent.borrow(500)).body
  const answers = await Promise.all(Array.from({ length: 50 }, () => agent.repay(loan_id, 70)))
  const paid = answers.filter(({ status }) => status === 200).map(({ body }) => Number(body.repaid))
  assert.deepEqual([paid.length, paid.reduce((total, part) => total + part)], [8, 500])
  assert.ok(answers.every(({ status, body }) => status === 200 || body.error === 'already_repaid'))
  assert.equal(await agent.balance(), 1000)
})

test('a repayment above the balance gets 402 with the numbers and takes nothing', async () => {
  const agent = await world.agent('spender')
  await raiseTo(agent, 600)
  const { loan_id } = (await agent.borrow(500)).body
  await send(world.url, 'POST', '/api/spend', { key: agent.key, body: { amount: 470 } })
  const before = await agent.balance()
  const { status, body } = await agent.repay(loan_id, before + 20)
  assert.deepEqual(
    [status, body.error, body.balance, body.required, body.message],
    [402, 'insufficient_balance', before, before + 20, body.detail]
  )
  assert.equal(await agent.balance(), before)
  assert.equal((await agent.loans()).loans[0].amount_repaid, 0)
})

test('loans of other agents return 404, and only agents can borrow', async () => {
  const [one, other] = [await world.agent('one'), await world.agent('other')]
  await raiseTo(one, 600)
  const { loan_id } = (await one.borrow(100)).body
  const foreign = await other.repay(loan_id, 1)
  assert.deepEqual([foreign.status, foreign.body.detail], [404, `You have no loan ${loan_id}.`])
  assert.equal((await one.repay(987_654, 1)).status, 404)
  assert.deepEqual((await other.loans()).loans, [])
  assert.equal((await send(world.url, 'GET', '/api/loans')).status, 401)
  const partner = await send(world.url, 'POST', '/api/loans', { key: world.furnisherKey, body: { amount: 1 } })
  assert.deepEqual([partner.status, partner.body.error], [403, 'credential_not_accepted'])
})

test('an agent cannot report on itself or on others', async () => {
  const agent = await world.agent('flatterer')
  await world.agent('friend')
  for (const agent_id of ['flatterer', 'friend']) {
    const report = { agent_id, reporter_name: 'Me', reporter_platform: 'mine', report_type: 'payment_ontime' }
    const account = { action: 'open', agent_id, platform: 'mine', account_type: 'credit' }
    for (const { status, body } of [
      await send(world.url, 'POST', '/v2/api/report', { key: agent.key, body: report }),
      await send(world.url, 'POST', '/v2/api/account', { key: agent.key, body: account })
    ]) {
      assert.deepEqual([status, body.error, body.message], [403, 'self_report', body.detail])
    }
  }
  assert.equal(await agent.score(), 500)
})

test('a paused agent cannot borrow, but can repay', async () => {
  const agent = await world.agent('paused')
  await raiseTo(agent, 600)
  const { loan_id } = (await agent.borrow(100)).body
  await world.database.db
    .updateTable('agents')
    .set({ status: 'paused', pause_reason: 'owner' })
    .where('agent_id', '=', 'paused')
    .execute()
  const { status, body } = await agent.borrow(100)
  assert.deepEqual([status, body.error, body.message], [403, 'agent_paused', body.detail])
  assert.match(body.detail, /Agent `paused` is paused/)
  assert.equal((await agent.repay(loan_id, 100)).body.status, 'repaid')
})

test('the same idempotency key pays out once and replays the response', async () => {
  const agent = await world.agent('retrying')
  await raiseTo(agent, 600)
  const request = { key: agent.key, body: { amount: 100 }, headers: { 'idempotency-key': 'once' } }
  const first = await send(world.url, 'POST', '/api/loans', request)
  const again = await send(world.url, 'POST', '/api/loans', request)
  assert.deepEqual([again.text, again.headers.get('idempotent-replayed')], [first.text, 'true'])
  assert.equal(await agent.balance(), 100)
})

test('loans are listed newest first, page by page, and a cursor of another list is rejected', async () => {
  const agent = await world.agent('frequent')
  await raiseTo(agent, 600)
  const ids: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    const { loan_id } = (await agent.borrow(10)).body
    await agent.repay(loan_id, 10)
    ids.unshift(loan_id)
  }
  const listed: number[] = []
  let cursor = ''
  do {
    const { body } = await send(world.url, 'GET', `/api/loans?limit=2${cursor === '' ? '' : `&cursor=${cursor}`}`, {
      key: agent.key
    })
    listed.push(...body.loans.map(({ id }: { id: number }) => id))
    assert.equal(body.has_more, body.next_cursor !== null)
    cursor = body.next_cursor ?? ''
  } while (cursor !== '')
  assert.deepEqual(listed, ids)
  assert.equal(
    (await send(world.url, 'GET', '/api/loans?cursor=made.up', { key: agent.key })).body.error,
    'invalid_cursor'
  )
})
