import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { reportTypes } from '../../../modules/bureau/history.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { send } from '../../credentials.ts'
import { search } from '../../search.ts'
import { Model } from './model.ts'
import { dayMs, startWorld, type TestAgent, type World } from './world.ts'

type Step =
  | { do: 'report'; kind: string; amount: number }
  | { do: 'pay everybody in time'; times: number }
  | { do: 'open account'; limit: number }
  | { do: 'close account' }
  | { do: 'borrow' | 'repay' | 'top up' | 'spend'; amount: number }
  | { do: 'turn the clock'; ms: number }
  | { do: 'run the job' }

const amount = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 6000 }))

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('report' as const), kind: fc.constantFrom(...reportTypes), amount })
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('pay everybody in time' as const), times: fc.integer({ min: 1, max: 6 }) })
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('open account' as const), limit: fc.nat({ max: 3000 }) }) },
  { weight: 1, arbitrary: fc.constant({ do: 'close account' as const }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('borrow' as const), amount }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('repay' as const), amount }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('top up' as const, 'spend' as const), amount }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('turn the clock' as const),
      ms: fc.constantFrom(1, dayMs, 30 * dayMs, 30 * dayMs + 1, 61 * dayMs)
    })
  },
  { weight: 2, arbitrary: fc.constant({ do: 'run the job' as const }) }
)

const account = async (world: World, agent: TestAgent, body: object) =>
  await send(world.url, 'POST', '/v2/api/account', {
    key: world.furnisherKey,
    body: { agent_id: agent.agentId, ...body }
  })

/** Takes one step in the world and in the model, and compares the results. */
const take = async (world: World, agent: TestAgent, loanIds: number[], model: Model, step: Step): Promise<void> => {
  switch (step.do) {
    case 'report':
      model.report(step.kind, step.amount)
      assert.equal(await agent.report(step.kind, step.amount), model.score())
      return
    case 'pay everybody in time':
      for (let time = 0; time < step.times; time++) {
        model.report('payment_ontime', 0)
        assert.equal(await agent.report('payment_ontime'), model.score())
      }
      return
    case 'open account': {
      const { body } = await account(world, agent, {
        action: 'open',
        platform: 'p',
        account_type: 'credit',
        credit_limit: step.limit
      })
      model.open.push({ id: body.account_id, limit: step.limit })
      return assert.equal(body.new_score, model.score())
    }
    case 'close account': {
      const closing = model.open.shift()
      const { status, body } = await account(world, agent, { action: 'close', account_id: closing?.id ?? 999_999 })
      if (closing === undefined) return assert.equal(status, 404)
      return assert.deepEqual([status, body.new_score], [200, model.score()])
    }
    case 'borrow': {
      const { status, body } = await agent.borrow(step.amount)
      if (status === 200) loanIds.unshift(body.loan_id)
      return assert.deepEqual(
        { status, approved: body.approved },
        { approved: undefined, ...model.borrow(step.amount) }
      )
    }
    case 'repay': {
      if (loanIds[0] === undefined) return
      const { status, body } = await agent.repay(loanIds[0], step.amount)
      return assert.deepEqual({ status, repaid: body.repaid }, { repaid: undefined, ...model.repay(step.amount) })
    }
    case 'top up':
      model.balance += step.amount
      return await agent.topUp(step.amount)
    case 'spend': {
      const { app, database } = world
      const wish = {
        walletId: agent.agentId,
        type: 'spend' as const,
        amountCents: step.amount * 100,
        description: 'A call'
      }
      const { posted } = await transact(database.db, (trx) => app.ledger.post(trx, wish))
      assert.equal(posted, step.amount <= model.balance)
      if (posted) model.balance -= step.amount
      return
    }
    case 'turn the clock':
      world.clock.advance(step.ms)
      model.now += step.ms
      return
    case 'run the job':
      await world.app.jobs.run('loans')
      return model.lapse()
  }
}

const assertHolds = async (world: World, agent: TestAgent, model: Model): Promise<void> => {
  const { db } = world.database
  assert.equal(await agent.balance(), model.balance)
  const { body } = await send(world.url, 'GET', `/v2/api/score?agent_id=${agent.agentId}`)
  assert.equal(body.score, model.score())
  assert.deepEqual(body.payment_history, { on_time: model.onTime, late: model.late, missed: model.missed })
  const { loans } = await agent.loans()
  assert.deepEqual(
    loans.map((loan: Record<string, unknown>) => [loan.amount, loan.amount_repaid, loan.status]),
    model.loans.map((loan) => [loan.amount, loan.repaid, loan.status])
  )
  assert.ok(model.loans.filter(({ status }) => status !== 'repaid').length <= 1)
  assert.deepEqual(await findMiscounted(db), [])
  assert.deepEqual((await verifyLedger(db)).faults, [])
}

test('bureau, loans and ledger match the model for any order of agents, furnishers and job runs', async (t) => {
  const world = await startWorld(t)
  let agents = 0
  const reached = new Set<string>()
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { minLength: 15, maxLength: 30 }), async (steps) => {
      const agent = await world.agent(`agent-${agents++}`)
      const now = world.clock.now().getTime()
      const model = new Model(now, now)
      const loanIds: number[] = []
      // Starts with enough positive reports to qualify for loans.
      for (const step of [{ do: 'pay everybody in time' as const, times: 9 }, ...steps]) {
        await take(world, agent, loanIds, model, step)
        await assertHolds(world, agent, model)
      }
      for (const { status, late } of model.loans) reached.add(`${status}${late ? ' late' : ''}`)
    }),
    // The last assertion covers what these runs reached.
    search(14)
  )
  // A property that never reaches a state proves nothing about it.
  assert.deepEqual([...reached].sort(), ['active', 'active late', 'defaulted late', 'repaid', 'repaid late'])
})
