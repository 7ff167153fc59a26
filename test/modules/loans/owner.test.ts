import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { send } from '../../credentials.ts'
import { createOwner, type Owner } from '../agents/world.ts'
import { dayMs, raiseTo, startWorld, type TestAgent } from './world.ts'

const world = await startWorld(t)
const owner = await createOwner(world)

const as = async (user: Owner, method: string, path: string, body?: unknown) =>
  await send(world.url, method, path, { key: await user.token(), body })
const outcome = async (method: string, path: string, body?: unknown, user = owner) => {
  const { status, body: answer } = await as(user, method, path, body)
  return [status, answer.error ?? 'ok']
}

let agents = 0
/** An agent of the owner that can borrow 200 credits. */
const borrower = async (user = owner): Promise<TestAgent> => {
  const agent = await world.agent(`owned-${agents++}`, { owned: false })
  await raiseTo(agent, 550)
  const body = { agent_id: agent.agentId, api_key: agent.key }
  assert.equal((await as(user, 'POST', '/api/register', body)).body.claimed, true)
  return agent
}
const revoke = ({ agentId }: TestAgent) => as(owner, 'POST', `/api/agents/${agentId}/revoke`, { confirm: true })
const move = (from: TestAgent, to: TestAgent, amount: number) =>
  outcome('POST', `/api/agents/${from.agentId}/transfer`, { to_agent_id: to.agentId, amount })

t.afterEach(async () => {
  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})

test('the owner lists the loans of an agent by pages, also of a revoked one, and no one else does', async () => {
  const agent = await borrower()
  for (let time = 0; time < 2; time++) {
    const { loan_id } = (await agent.borrow(10)).body
    await agent.repay(loan_id, 10)
  }
  await agent.borrow(60)
  await revoke(agent)
  const path = `/api/agents/${agent.agentId}/loans`
  const first = (await as(owner, 'GET', `${path}?limit=2`)).body
  assert.deepEqual(
    first.loans.map(({ status, outstanding }: { status: string; outstanding: number }) => [status, outstanding]),
    [
      ['active', 60],
      ['repaid', 0]
    ]
  )
  const rest = (await as(owner, 'GET', `${path}?limit=2&cursor=${first.next_cursor}`)).body
  assert.deepEqual([rest.agent_id, rest.loans.length, rest.has_more], [agent.agentId, 1, false])
  const stranger = await createOwner(world)
  assert.deepEqual(await outcome('GET', path, undefined, stranger), [403, 'not_owner'])
  assert.deepEqual(await outcome('GET', '/api/agents/nowhere/loans'), [404, 'agent_not_found'])
  const sibling = await borrower()
  const foreignCursor = `/api/agents/${sibling.agentId}/loans?cursor=${first.next_cursor}`
  assert.deepEqual(await outcome('GET', foreignCursor), [400, 'invalid_cursor'])
})

test('borrowed credits cannot be moved to another agent, whatever the state of the borrower', async () => {
  const [agent, sibling] = [await borrower(), await borrower()]
  await agent.topUp(30)
  await agent.borrow(200)
  assert.deepEqual(await move(agent, sibling, 30.01), [409, 'balance_reserved'])
  const path = `/api/agents/${agent.agentId}/transfer`
  const { body } = await as(owner, 'POST', path, { to_agent_id: sibling.agentId, amount: 100 })
  assert.deepEqual([body.balance, body.reserved, body.available], [230, 200, 30])
  await as(owner, 'POST', `/api/agents/${agent.agentId}/pause`)
  assert.deepEqual(await move(agent, sibling, 30.01), [409, 'balance_reserved'])
  await revoke(agent)
  world.clock.advance(61 * dayMs)
  await world.app.jobs.run('loans')
  assert.deepEqual(await move(agent, sibling, 30.01), [409, 'balance_reserved'], 'in default, too')
  assert.deepEqual(await move(agent, sibling, 30), [200, 'ok'])
  assert.equal(await agent.balance(), 200)
})

test('the owner repays the loan of a revoked agent from its balance, and then moves the rest', async () => {
  const [agent, sibling] = [await borrower(), await borrower()]
  await agent.topUp(50)
  const { loan_id } = (await agent.borrow(100)).body
  await revoke(agent)
  const part = await as(owner, 'POST', `/api/loans/${loan_id}/repay`, { amount: 40 })
  assert.deepEqual(part.body, { ok: true, loan_id, repaid: 40, outstanding: 60, status: 'active' })
  const rest = await as(owner, 'POST', `/api/loans/${loan_id}/repay`, { amount: 100 })
  assert.deepEqual(rest.body, { ok: true, loan_id, repaid: 60, outstanding: 0, status: 'repaid' })
  assert.deepEqual(await outcome('POST', `/api/loans/${loan_id}/repay`, { amount: 1 }), [409, 'already_repaid'])
  assert.deepEqual(await move(agent, sibling, 50), [200, 'ok'])
})

test('another agent of the owner repays a loan with its own credits, never with borrowed ones', async () => {
  const [agent, sibling] = [await borrower(), await borrower()]
  const { loan_id } = (await agent.borrow(100)).body
  await revoke(agent)
  await sibling.topUp(30)
  await sibling.borrow(200)
  const pay = (amount: number, from_agent_id = sibling.agentId) =>
    outcome('POST', `/api/loans/${loan_id}/repay`, { amount, from_agent_id })
  assert.deepEqual(await pay(30.01), [409, 'balance_reserved'])
  assert.deepEqual(await pay(300), [409, 'balance_reserved'], 'of which only 100 are outstanding')
  assert.deepEqual(await pay(30), [200, 'ok'])
  assert.deepEqual(await pay(1, 'nowhere'), [404, 'agent_not_found'])
  const [theirs] = [await borrower(await createOwner(world))]
  assert.deepEqual(await pay(1, theirs.agentId), [403, 'not_owner'])
  assert.deepEqual([await agent.balance(), await sibling.balance()], [100, 200])
})

test('an agent pays with its own wallet alone, and only the owner repays for it', async () => {
  const [agent, sibling] = [await borrower(), await borrower()]
  await sibling.topUp(50)
  const { loan_id } = (await agent.borrow(50)).body
  const body = { amount: 10, from_agent_id: sibling.agentId }
  const byAgent = await send(world.url, 'POST', `/api/loans/${loan_id}/repay`, { key: agent.key, body })
  assert.deepEqual([byAgent.status, byAgent.body.error], [403, 'not_owner'])
  const own = { amount: 10, from_agent_id: agent.agentId }
  assert.equal(
    (await send(world.url, 'POST', `/api/loans/${loan_id}/repay`, { key: agent.key, body: own })).status,
    200
  )
  assert.equal((await sibling.repay(loan_id, 10)).status, 404)
  const stranger = await createOwner(world)
  assert.deepEqual(await outcome('POST', `/api/loans/${loan_id}/repay`, { amount: 10 }, stranger), [404, 'not_found'])
})

test('credits that circle among the agents of one owner raise no score', async () => {
  const [agent, sibling] = [await borrower(), await borrower()]
  await agent.topUp(100)
  const scores = () => Promise.all([agent.score(), sibling.score()])
  const before = await scores()
  for (let round = 0; round < 5; round++) {
    await move(agent, sibling, 100)
    await move(sibling, agent, 100)
  }
  assert.deepEqual(await scores(), before)
})

test('a loan that is disbursed during a transfer is counted, or the transfer came first', async () => {
  const [agent, sibling] = [await borrower(), await borrower()]
  await agent.topUp(50)
  const [, moved] = await Promise.all([agent.borrow(200), move(agent, sibling, 60)])
  assert.ok(moved[0] === 402 || moved[1] === 'balance_reserved', String(moved))
  assert.equal(await agent.balance(), 250)
})
