import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { dayMs, raiseTo, startWorld, type TestAgent } from './world.ts'

const world = await startWorld(t)

const borrowAndRepay = async (agent: TestAgent, amount: number): Promise<number> => {
  const { loan_id } = (await agent.borrow(amount)).body
  assert.equal((await agent.repay(loan_id, amount)).body.status, 'repaid')
  return await agent.score()
}

test('a loan below 50 credits adds nothing to the score, and one of 50 does', async () => {
  const agent = await world.agent('small')
  const before = await raiseTo(agent, 550)
  assert.equal(await borrowAndRepay(agent, 49.99), before)
  assert.ok((await borrowAndRepay(agent, 50)) > before)
})

test('of the loans repaid within 30 days one adds to the score, and the next one after them', async () => {
  const agent = await world.agent('busy')
  const before = await raiseTo(agent, 550)
  const first = await borrowAndRepay(agent, 100)
  assert.ok(first > before)
  for (let time = 0; time < 3; time++) assert.equal(await borrowAndRepay(agent, 100), first)
  const { loan_id } = (await agent.borrow(100)).body
  world.clock.advance(30 * dayMs - 1)
  const aged = await agent.score()
  await agent.repay(loan_id, 100)
  assert.equal(await agent.score(), aged)
  world.clock.advance(1)
  const old = await agent.score()
  assert.ok((await borrowAndRepay(agent, 100)) > old)
})

test('trivial and repeated loans are still reported late and missed', async () => {
  const agent = await world.agent('careless')
  await raiseTo(agent, 600)
  await borrowAndRepay(agent, 100)
  await agent.borrow(1)
  world.clock.advance(60 * dayMs + 1)
  const before = await agent.score()
  await world.app.jobs.run('loans')
  assert.equal(await agent.score(), before - 40)
})
