import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { sql } from 'kysely'
import { findMiscounted } from '../../../modules/bureau/queries.ts'
import { send } from '../../credentials.ts'
import { dayMs, raiseTo, startWorld, type TestAgent } from './world.ts'

const world = await startWorld({ after })

const termMs = 30 * dayMs

const historyOf = async (agent: TestAgent) => {
  const { body } = await send(world.url, 'GET', `/v2/api/score?agent_id=${agent.agentId}`)
  return body.payment_history as { on_time: number; late: number; missed: number }
}

const indebted = async (agentId: string) => {
  const agent = await world.agent(agentId)
  await raiseTo(agent, 600)
  const { loan_id } = (await agent.borrow(100)).body
  return { agent, loanId: Number(loan_id), onTimeBefore: (await historyOf(agent)).on_time }
}

test('a loan paid back at the last moment is a payment in time', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('punctual')
  world.clock.advance(termMs)
  await world.app.jobs.run('loans')
  await agent.repay(loanId, 100)
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore + 1, late: 0, missed: 0 })
})

test('past due is reported late once, however often the job runs, and paying then adds nothing', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('tardy')
  world.clock.advance(termMs + 1)
  for (let run = 0; run < 3; run++) {
    await world.app.jobs.run('loans')
    world.clock.advance(dayMs)
  }
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 0 })
  assert.equal((await agent.loans()).loans[0].status, 'active')
  assert.equal((await agent.repay(loanId, 100)).body.status, 'repaid')
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 0 })
})

test('who pays too late is late although the job has not come by', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('lucky')
  world.clock.advance(termMs + 1)
  assert.equal((await agent.repay(loanId, 100)).body.status, 'repaid')
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 0 })
})

test('thirty days after it was due a loan is defaulted, which is missed once; it blocks a new one until it is paid back', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('lost')
  world.clock.advance(2 * termMs)
  await world.app.jobs.run('loans')
  assert.equal((await agent.loans()).loans[0].status, 'active')
  world.clock.advance(1)
  await world.app.jobs.run('loans')
  await world.app.jobs.run('loans')
  assert.equal((await agent.loans()).loans[0].status, 'defaulted')
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 1 })
  const { body: refused } = await agent.borrow(10)
  assert.deepEqual([refused.error, refused.loan_id, refused.outstanding], ['existing_loan', loanId, 100])
  assert.deepEqual((await agent.repay(loanId, 40)).body, { ok: true, loan_id: loanId, repaid: 40, outstanding: 60, status: 'defaulted' })
  assert.deepEqual((await agent.repay(loanId, 60)).body, { ok: true, loan_id: loanId, repaid: 60, outstanding: 0, status: 'repaid' })
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 1 })
  const types = (await world.events(agent.agentId)).map(({ type }) => type).filter((type) => type.startsWith('loan.'))
  assert.deepEqual(types, ['loan.disbursed', 'loan.defaulted', 'loan.repaid'])
  const told = await world.app.notifications.list(world.database.db, world.ownerId, 10)
  assert.deepEqual(told.map(({ type, data }) => [type, data]), [['loan.defaulted', { agent_id: agent.agentId, loan_id: loanId }]])
})

test('a server that slept for a year notes everything in one run, in batches, and the counters hold', async () => {
  const agents = await Promise.all(Array.from({ length: 120 }, (_, index) => world.agent(`sleeper-${index}`)))
  await Promise.all(agents.map((agent) => raiseTo(agent, 550)))
  for (const { status } of await Promise.all(agents.map((agent) => agent.borrow(100)))) assert.equal(status, 200)
  world.clock.advance(365 * dayMs)
  await Promise.all([world.app.jobs.run('loans'), ...agents.slice(0, 20).map(async (agent) => agent.repay((await agent.loans()).loans[0].id, 100))])
  const { rows } = await sql<{ late: number; missed: number; agents: number }>`
    select sum(late)::int as late, sum(missed)::int as missed, count(*)::int as agents
    from bureau_agents where agent_id like 'sleeper-%'`.execute(world.database.db)
  assert.deepEqual(rows[0], { late: 120, missed: 120, agents: 120 })
  assert.deepEqual(await findMiscounted(world.database.db), [])
})

test('the database itself refuses a second outstanding loan, paying back more than was lent, and going backwards', async () => {
  const { agent, loanId } = await indebted('guarded')
  const { db } = world.database
  const bend = (statement: ReturnType<typeof sql>) => assert.rejects(statement.execute(db))
  await bend(sql`insert into loans (agent_id, amount_cents, requested_cents, limit_cents, score, requested_at, due_at)
    select agent_id, amount_cents, requested_cents, limit_cents, score, requested_at, due_at from loans where id = ${loanId}`)
  await bend(sql`update loans set amount_repaid_cents = amount_cents + 1 where id = ${loanId}`)
  await bend(sql`update loans set amount_cents = amount_cents - 1 where id = ${loanId}`)
  await bend(sql`update loans set status = 'repaid' where id = ${loanId}`)
  await bend(sql`update loans set status = 'defaulted' where id = ${loanId}`)
  await bend(sql`delete from loans where id = ${loanId}`)
  await agent.repay(loanId, 100)
  await bend(sql`update loans set status = 'active', repaid_at = null, amount_repaid_cents = 0 where id = ${loanId}`)
})
