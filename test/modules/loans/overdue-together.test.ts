import assert from 'node:assert/strict'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { dayMs, raiseTo, startWorld } from './world.ts'

const world = await startWorld(t)

test('a server that was down for a year records all lapses in one run, with correct counters', async () => {
  const agents = await Promise.all(Array.from({ length: 120 }, (_, index) => world.agent(`sleeper-${index}`)))
  await Promise.all(agents.map((agent) => raiseTo(agent, 550)))
  for (const { status } of await Promise.all(agents.map((agent) => agent.borrow(100)))) assert.equal(status, 200)
  world.clock.advance(365 * dayMs)
  await Promise.all([
    world.app.jobs.run('loans'),
    ...agents.slice(0, 20).map(async (agent) => agent.repay((await agent.loans()).loans[0].id, 100))
  ])
  const { rows } = await sql<{ late: number; missed: number; agents: number }>`
    select sum(late)::int as late, sum(missed)::int as missed, count(*)::int as agents
    from bureau_agents where agent_id like 'sleeper-%'`.execute(world.database.db)
  assert.deepEqual(rows[0], { late: 120, missed: 120, agents: 120 })
  assert.deepEqual(await findMiscounted(world.database.db), [])
})
