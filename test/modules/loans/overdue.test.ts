import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { lockOverdue } from '../../../modules/loans/queries.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { send } from '../../credentials.ts'
import { dayMs, raiseTo, startWorld, type TestAgent } from './world.ts'

const world = await startWorld(t)

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

test('a loan repaid at the last moment counts as on time', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('punctual')
  world.clock.advance(termMs)
  await world.app.jobs.run('loans')
  await agent.repay(loanId, 100)
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore + 1, late: 0, missed: 0 })
})

test('an overdue loan is reported late once, however often the job runs, and repaying adds no report', async () => {
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

test('a late repayment counts as late even if the job has not run', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('lucky')
  world.clock.advance(termMs + 1)
  assert.equal((await agent.repay(loanId, 100)).body.status, 'repaid')
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 0 })
})

test('a loan defaults 30 days after its due date, counts as missed once, and blocks new ones until repaid', async () => {
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
  assert.deepEqual((await agent.repay(loanId, 40)).body, {
    ok: true,
    loan_id: loanId,
    repaid: 40,
    outstanding: 60,
    status: 'defaulted'
  })
  assert.deepEqual((await agent.repay(loanId, 60)).body, {
    ok: true,
    loan_id: loanId,
    repaid: 60,
    outstanding: 0,
    status: 'repaid'
  })
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 1 })
  const types = (await world.events(agent.agentId)).map(({ type }) => type).filter((type) => type.startsWith('loan.'))
  assert.deepEqual(types, ['loan.disbursed', 'loan.defaulted', 'loan.repaid'])
  const told = await world.app.notifications.list(world.database.db, world.ownerId, 10)
  const message = `lost has not repaid loan ${loanId}. The loan is in default; the agent can borrow again once it is repaid.`
  assert.deepEqual(
    told.map((notification) => [notification.type, notification.message, notification.data]),
    [['loan.defaulted', message, { agent_id: agent.agentId, loan_id: loanId }]]
  )
})

test('a partial repayment of a defaulted loan reports the default even if the job has not run', async () => {
  const { agent, loanId, onTimeBefore } = await indebted('half-hearted')
  world.clock.advance(2 * termMs + 1)
  assert.deepEqual((await agent.repay(loanId, 30)).body, {
    ok: true,
    loan_id: loanId,
    repaid: 30,
    outstanding: 70,
    status: 'defaulted'
  })
  assert.deepEqual(await historyOf(agent), { on_time: onTimeBefore, late: 1, missed: 1 })
  assert.deepEqual((await agent.repay(loanId, 70)).body, {
    ok: true,
    loan_id: loanId,
    repaid: 70,
    outstanding: 0,
    status: 'repaid'
  })
})

test('a loan whose lapse is recorded is not read again before its next one', async () => {
  const { agent, loanId } = await indebted('watched')
  const overdue = () =>
    transact(world.database.db, async (trx) => (await lockOverdue(trx, world.clock.now(), 100)).map(({ id }) => id))
  world.clock.advance(termMs)
  assert.ok(!(await overdue()).includes(loanId), 'due at this very moment')
  world.clock.advance(1)
  assert.ok((await overdue()).includes(loanId))
  await world.app.jobs.run('loans')
  world.clock.advance(termMs - 1)
  assert.ok(!(await overdue()).includes(loanId))
  world.clock.advance(1)
  assert.ok((await overdue()).includes(loanId))
  await world.app.jobs.run('loans')
  assert.ok(!(await overdue()).includes(loanId))
  await agent.repay(loanId, 100)
})

test('every report on a loan names the loan and its amount, whether on time, late or missed', async () => {
  const reports = async (agent: TestAgent, least: number) =>
    (
      await world.database.db
        .selectFrom('bureau_events')
        .selectAll()
        .where('agent_id', '=', agent.agentId)
        .where('partner_id', 'is', null)
        .orderBy('id')
        .execute()
    )
      .slice(0, least + 1)
      .map((event) => [event.kind, event.amount_cents, event.notes, event.reporter_name, event.reporter_platform])
  const [timely, failing] = [await indebted('timely'), await indebted('failing')]
  await timely.agent.repay(timely.loanId, 60)
  assert.deepEqual(await reports(timely.agent, 0), [], 'a part is not the whole')
  await timely.agent.repay(timely.loanId, 40)
  assert.deepEqual(await reports(timely.agent, 1), [
    ['payment_ontime', 100_00, `loan ${timely.loanId}`, 'AtlasForge', 'loans']
  ])
  world.clock.advance(2 * termMs + 1)
  await world.app.jobs.run('loans')
  assert.deepEqual(await reports(failing.agent, 2), [
    ['payment_late', 100_00, `loan ${failing.loanId}`, 'AtlasForge', 'loans'],
    ['payment_missed', 100_00, `loan ${failing.loanId}`, 'AtlasForge', 'loans']
  ])
  const row = await world.database.db
    .selectFrom('loans')
    .select(['late_at', 'defaulted_at', 'repaid_at'])
    .where('id', '=', failing.loanId)
    .executeTakeFirstOrThrow()
  assert.deepEqual(row, { late_at: world.clock.now(), defaulted_at: world.clock.now(), repaid_at: null })
})

test('a loan of an agent without an owner passes through every state without events', async () => {
  const agent = await world.agent('nobodys', { owned: false })
  await raiseTo(agent, 600)
  const loanId = Number((await agent.borrow(100)).body.loan_id)
  world.clock.advance(2 * termMs + 1)
  await world.app.jobs.run('loans')
  assert.equal((await agent.loans()).loans[0].status, 'defaulted')
  assert.equal((await agent.repay(loanId, 100)).body.status, 'repaid')
  const { rows } = await sql`select 1 from events where data ->> 'agent_id' = 'nobodys'`.execute(world.database.db)
  assert.deepEqual(rows, [])
})

test('the database rejects a second open loan, repaying more than was lent, and steps back', async () => {
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
