import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { reachedLimit } from '../../../modules/loans/limits.ts'
import { lockLoan } from '../../../modules/loans/queries.ts'
import { loadConfig } from '../../../plugins/config/index.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { send } from '../../credentials.ts'
import { until } from '../../machines/waiting.ts'
import { createOwner, type Owner } from '../agents/world.ts'
import { productionEnv } from '../bureau/world.ts'
import { dayMs, raiseTo, startWorld, type TestAgent, type World } from './world.ts'

const limited = async (total: number, perOwner: number): Promise<World> =>
  await startWorld(t, {
    env: { ATLAS_LOANS_MAX_OUTSTANDING: String(total), ATLAS_LOANS_MAX_PER_OWNER: String(perOwner) }
  })

let agents = 0
/** An agent without an owner that can borrow 200 credits. */
const unowned = async (world: World): Promise<TestAgent> => {
  const agent = await world.agent(`agent-${agents++}`, { owned: false })
  await raiseTo(agent, 550)
  return agent
}

const claim = async ({ url }: World, { agentId, key }: TestAgent, owner: Owner) => {
  const body = { agent_id: agentId, api_key: key }
  assert.equal((await send(url, 'POST', '/api/register', { key: await owner.token(), body })).body.claimed, true)
}

const owned = async (world: World, owner: Owner): Promise<TestAgent> => {
  const agent = await unowned(world)
  await claim(world, agent, owner)
  return agent
}

const outstanding = async ({ database: { db } }: World): Promise<number> => {
  const loans = await db.selectFrom('loans').selectAll().where('status', '<>', 'repaid').execute()
  return loans.reduce((sum, loan) => sum + loan.amount_cents - loan.amount_repaid_cents, 0) / 100
}

const refusal = async (agent: TestAgent, amount: number) => {
  const { status, body } = await agent.borrow(amount)
  return [status, body.error, body.limit, body.maximum, body.available]
}

test('a hundred requests at once never lend more than the limit to all agents', async () => {
  const world = await limited(1000, 0)
  const borrowers = await Promise.all(Array.from({ length: 100 }, () => unowned(world)))
  const answers = await Promise.all(borrowers.map((agent) => agent.borrow(30)))
  const lent = answers.filter(({ status }) => status === 200)
  assert.equal(lent.length, 33)
  assert.ok(answers.every(({ status, body }) => status === 200 || body.error === 'lending_limit'))
  assert.equal(await outstanding(world), 990)
  const rest = borrowers[answers.findIndex(({ status }) => status === 403)]
  assert.ok(rest)
  assert.deepEqual(await refusal(rest, 10.01), [403, 'lending_limit', 'all_agents', 1000, 10])
  assert.equal((await rest.borrow(10)).status, 200)
  assert.deepEqual((await verifyLedger(world.database.db)).faults, [])
})

test('the agents of one owner together borrow up to its limit, and repaying makes room', async () => {
  const world = await limited(0, 250)
  const [owner, other] = [await createOwner(world), await createOwner(world)]
  const mine = await Promise.all(Array.from({ length: 10 }, () => owned(world, owner)))
  const answers = await Promise.all(mine.map((agent) => agent.borrow(100)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 2)
  const [blocked, lent] = [403, 200].map((status) => mine[answers.findIndex((answer) => answer.status === status)])
  assert.ok(blocked && lent)
  assert.deepEqual(await refusal(blocked, 50.01), [403, 'lending_limit', 'owner', 250, 50])
  assert.equal((await (await owned(world, other)).borrow(200)).status, 200, 'another owner has a limit of its own')
  await lent.repay((await lent.loans()).loans[0].id, 60)
  assert.deepEqual(await refusal(blocked, 110.01), [403, 'lending_limit', 'owner', 250, 110])
  assert.equal((await blocked.borrow(110)).status, 200)
})

test('agents without an owner share the limit of one owner', async () => {
  const world = await limited(0, 250)
  const [first, second, third] = [await unowned(world), await unowned(world), await unowned(world)]
  assert.equal((await first.borrow(200)).status, 200)
  assert.deepEqual(await refusal(second, 60), [403, 'lending_limit', 'agents_without_owner', 250, 50])
  const owner = await createOwner(world)
  await claim(world, first, owner)
  assert.deepEqual(
    await refusal(third, 60),
    [403, 'lending_limit', 'agents_without_owner', 250, 50],
    'a claim frees nothing'
  )
  assert.deepEqual(await refusal(await owned(world, owner), 60), [403, 'lending_limit', 'owner', 250, 50])
  await first.repay((await first.loans()).loans[0].id, 200)
  assert.equal((await third.borrow(200)).status, 200)
})

test(
  'a claim and a repayment lock the loan and the counters in the same order',
  { skip: process.env.TEST_DATABASE_URL === undefined ? 'requires a PostgreSQL server' : false },
  async () => {
    const world = await limited(0, 0)
    const { db } = world.database
    const agent = await unowned(world)
    const loanId = Number((await agent.borrow(10)).body.loan_id)
    const owner = await createOwner(world)
    const { claiming } = await db.transaction().execute(async (trx) => {
      await lockLoan(trx, loanId, agent.agentId)
      const claiming = claim(world, agent, owner)
      await until('the claim waits', async () => {
        // Outside the transaction, in which PostgreSQL would go on showing the sessions of the first look.
        const { rows } =
          await sql`select 1 from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted`.execute(
            db
          )
        return rows.length > 0
      })
      await sql`select from bureau_agents where agent_id = ${agent.agentId} for no key update nowait`.execute(trx)
      return { claiming }
    })
    await claiming
  }
)

test('defaulted loans count until they are repaid', async () => {
  const world = await limited(200, 0)
  const [debtor, waiting] = [await unowned(world), await unowned(world)]
  await debtor.borrow(200)
  world.clock.advance(61 * dayMs)
  await world.app.jobs.run('loans')
  assert.equal((await debtor.loans()).loans[0].status, 'defaulted')
  assert.deepEqual(await refusal(waiting, 1), [403, 'lending_limit', 'all_agents', 200, 0])
  await debtor.repay((await debtor.loans()).loans[0].id, 200)
  assert.equal((await waiting.borrow(200)).status, 200)
})

test('production lends 100,000 credits and 10,000 per owner by default, and 0 is no limit', async () => {
  const production = loadConfig(productionEnv)
  assert.deepEqual(production.lending, { mostOutstandingCents: 100_000_00, mostPerOwnerCents: 10_000_00 })
  const none = { mostOutstandingCents: undefined, mostPerOwnerCents: undefined }
  const off = { ATLAS_LOANS_MAX_OUTSTANDING: '0', ATLAS_LOANS_MAX_PER_OWNER: '0' }
  assert.deepEqual(loadConfig({ ...productionEnv, ...off }).lending, none)
  assert.equal(reachedLimit(none, { allCents: 1e12, groupCents: 1e12 }, true, 1e12), undefined)
  assert.deepEqual(
    reachedLimit({ ...none, mostOutstandingCents: 100 }, { allCents: 150, groupCents: 0 }, true, 1),
    { limit: 'all_agents', maximumCents: 100, availableCents: 0 },
    'a limit that was lowered leaves nothing, not less'
  )
})

test('the database keeps the owner of a loan and that it was taken without one', async () => {
  const world = await limited(0, 0)
  const { db } = world.database
  const agent = await unowned(world)
  await agent.borrow(100)
  const [owner, other] = [await createOwner(world), await createOwner(world)]
  await claim(world, agent, owner)
  const loan = db.updateTable('loans').where('agent_id', '=', agent.agentId)
  await assert.rejects(loan.set({ owner_user_id: other.userId }).execute())
  await assert.rejects(loan.set({ owner_user_id: null }).execute())
  await assert.rejects(loan.set({ without_owner: false }).execute())
})
