import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { transact } from '../../../plugins/database/transaction.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { send } from '../../credentials.ts'
import { createOwner, openWorld } from './world.ts'

const world = await openWorld(t)
const { asOwner, as, balance, database, fund } = world

const transfer = (from: string, to: string, amount: number, headers?: Record<string, string>) =>
  asOwner('POST', `/api/agents/${from}/transfer`, { to_agent_id: to, amount }, headers)
const outcome = async (...args: Parameters<typeof transfer>) => {
  const { status, body } = await transfer(...args)
  return [status, body.error ?? 'ok']
}

t.afterEach(async () => {
  assert.deepEqual((await verifyLedger(database.db)).faults, [])
})

test('a transfer moves credits between two agents of one owner, in one balanced transaction', async () => {
  await fund('payer', 100)
  await fund('payee', 5)
  const { status, body } = await transfer('payer', 'payee', 30.25)
  assert.equal(status, 200)
  const { transaction_id: id, ...rest } = body
  assert.deepEqual(rest, {
    ok: true,
    agent_id: 'payer',
    to_agent_id: 'payee',
    amount: 30.25,
    balance: 69.75,
    to_balance: 35.25
  })
  for (const [agentId, amount, balance_after] of [
    ['payer', -30.25, 69.75],
    ['payee', 30.25, 35.25]
  ] as const) {
    const [latest] = (await asOwner('GET', `/api/agents/${agentId}/transactions`)).body.transactions
    assert.deepEqual(
      [latest.id, latest.type, latest.amount, latest.balance_after],
      [id, 'transfer', amount, balance_after]
    )
    assert.doesNotMatch(latest.description, /payer|payee/, 'the public history names no other agent')
  }
  const rows = await database.db.selectFrom('events').select('data').where('type', '=', 'agent.transfer').execute()
  assert.deepEqual(
    rows.map(({ data }) => data),
    [{ ...rest, ok: undefined, transaction_id: id }].map(({ ok: _, ...data }) => data)
  )
  const { items } = (await asOwner('GET', '/v1/activity?limit=1')).body
  assert.deepEqual([items[0].operationId, items[0].resourceId], ['transferAgentCredits', 'payer'])
})

test('a repeated request with the same idempotency key moves credits once', async () => {
  await fund('once', 10)
  await fund('once-too', 0)
  const key = { 'idempotency-key': 'move-once' }
  const first = await transfer('once', 'once-too', 4, key)
  const second = await transfer('once', 'once-too', 4, key)
  assert.equal(first.text, second.text)
  assert.equal(second.headers.get('idempotent-replayed'), 'true')
  assert.deepEqual([await balance('once'), await balance('once-too')], [6, 4])
})

test('a revoked agent has no key any more, and its credits can be moved to another agent', async () => {
  const key = await fund('retired', 40)
  await fund('heir', 0)
  await asOwner('POST', '/api/agents/retired/revoke', { confirm: true })
  const { agent } = (await asOwner('GET', '/api/status?agent_id=retired')).body
  assert.deepEqual([agent.status, agent.api_key], ['revoked', null])
  assert.equal((await as(key, 'POST', '/api/spend', { amount: 1 })).status, 401)
  assert.deepEqual(await outcome('retired', 'heir', 40), [200, 'ok'])
  assert.deepEqual([await balance('retired'), await balance('heir')], [0, 40])
  assert.deepEqual(await outcome('heir', 'retired', 1), [409, 'agent_revoked'])
})

test('a paused agent can pay and cannot be paid', async () => {
  await fund('resting', 10)
  await fund('working', 10)
  await asOwner('POST', '/api/agents/resting/pause')
  assert.deepEqual(await outcome('resting', 'working', 3), [200, 'ok'])
  assert.deepEqual(await outcome('working', 'resting', 3), [403, 'agent_paused'])
})

test('an agent that owes for a reversed payment is not paid', async () => {
  await fund('debtor', 0)
  await fund('lender', 10)
  await database.db
    .updateTable('agents')
    .set({ status: 'paused', pause_reason: 'debt', owed_cents: 500 })
    .where('agent_id', '=', 'debtor')
    .execute()
  assert.deepEqual(await outcome('lender', 'debtor', 3), [409, 'agent_owes'])
  const posting = { walletId: 'debtor', type: 'earn' as const, amountCents: 800, description: 'Top-up' }
  await transact(database.db, (trx) => world.app.ledger.post(trx, posting))
  assert.deepEqual(await outcome('debtor', 'lender', 3.01), [409, 'balance_reserved'])
  assert.deepEqual(await outcome('debtor', 'lender', 3), [200, 'ok'])
})

test('wrong transfers are rejected and move nothing', async () => {
  await fund('mine', 10)
  await fund('also-mine', 0)
  const other = await createOwner(world)
  await as(await other.token(), 'POST', '/api/register', { agent_id: 'theirs' })
  await as(undefined, 'POST', '/api/register', { agent_id: 'unowned' })
  assert.deepEqual(await outcome('mine', 'mine', 1), [422, 'same_agent'])
  for (const foreign of ['theirs', 'unowned']) {
    assert.deepEqual(await outcome('mine', foreign, 1), [403, 'not_owner'])
    assert.deepEqual(await outcome(foreign, 'mine', 1), [403, 'not_owner'])
  }
  assert.deepEqual(await outcome('mine', 'nowhere', 1), [404, 'agent_not_found'])
  assert.deepEqual(await outcome('nowhere', 'mine', 1), [404, 'agent_not_found'])
  const { status, body } = await transfer('mine', 'also-mine', 10.01)
  assert.deepEqual([status, body.error, body.balance, body.required], [402, 'insufficient_balance', 10, 10.01])
  for (const amount of [0, -1, 0.001, 1.005, '1', null])
    assert.equal((await transfer('mine', 'also-mine', amount as number)).status, 400, String(amount))
  assert.deepEqual([await balance('mine'), await balance('also-mine'), await balance('theirs')], [10, 0, 0])
  const key = (await asOwner('GET', '/api/status?agent_id=mine')).body.agent.api_key
  const byAgent = { key, body: { to_agent_id: 'also-mine', amount: 1 } }
  assert.equal((await send(world.url, 'POST', '/api/agents/mine/transfer', byAgent)).status, 403)
})

test('transfers in both directions at once neither deadlock nor lose credits', async () => {
  await fund('left', 20)
  await fund('right', 20)
  const moves = Array.from({ length: 40 }, (_, n) =>
    n % 2 === 0 ? transfer('left', 'right', 3) : transfer('right', 'left', 2)
  )
  const answers = await Promise.all(moves)
  assert.ok(answers.every(({ status }) => status === 200 || status === 402))
  assert.equal((await balance('left')) + (await balance('right')), 40)
})
