import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { startApp, type Cleaner, type TestApp } from '../../build-app.ts'
import { search } from '../../search.ts'
import { Farmer, limits } from './farmer.ts'
import { anyStep, beginning, type Step } from './farming-steps.ts'
import { appoint, productionEnv } from './world.ts'

const startServer = async (t: Cleaner): Promise<TestApp> =>
  await startApp(t, {
    env: {
      ...productionEnv,
      ATLAS_LOANS_MAX_OUTSTANDING: String(limits.total),
      ATLAS_LOANS_MAX_PER_OWNER: String(limits.perOwner)
    }
  })

const anySteps = fc.array(anyStep, { minLength: 20, maxLength: 30 })

interface Play {
  /** Distinguishes the farmers of one server. */
  prefix: string
  prepare?: (server: TestApp, farmer: Farmer) => Promise<void>
  take: (farmer: Farmer, step: Step) => Promise<void>
  /** States that the plays must reach: a property that never reaches a state proves nothing about it. */
  wanted: string[]
}

/** Lets farmers play on one server, and checks the scores and loans after every step. */
const playAll = async (t: Cleaner, { prefix, prepare, take, wanted }: Play): Promise<void> => {
  const server = await startServer(t)
  const reached = new Set<string>()
  let plays = 0
  await fc.assert(
    fc.asyncProperty(anySteps, async (steps) => {
      const farmer = await Farmer.signUp(server, `${prefix}${plays++}`)
      await prepare?.(server, farmer)
      for (const step of [...beginning, ...steps]) {
        await take(farmer, step)
        await farmer.assertScores()
        await farmer.assertLending()
      }
      await farmer.assertCounters()
      await farmer.settle()
      for (const each of farmer.reached) reached.add(each)
    }),
    search(2)
  )
  assert.deepEqual((await verifyLedger(server.database.db)).faults, [])
  assert.deepEqual(
    wanted.filter((state) => !reached.has(state)),
    []
  )
}

test('farmers and saboteurs move no score by their reports, and borrow within the limits', async (t) => {
  await playAll(t, {
    prefix: 'a',
    async take(farmer, step) {
      const before = await farmer.scores(farmer.victims)
      const own = await farmer.scores(farmer.agents)
      await farmer.take(step)
      if (step.do !== 'turn the clock') assert.deepEqual(await farmer.scores(farmer.victims), before)
      if (['report', 'open account', 'slander'].includes(step.do))
        assert.deepEqual(await farmer.scores(farmer.agents), own)
      assert.equal(await farmer.ownReports(), 0)
    },
    wanted: ['claimed', 'repaid', 'disputed', '403 furnisher_not_enabled', '403 self_report', '403 lending_limit']
  })
})

test('an appointed furnisher gains nothing by reports on agents that it owns or comes to own', async (t) => {
  await playAll(t, {
    prefix: 'b',
    prepare: async (server, farmer) => await appoint(server, farmer.people[1]!.partnerId),
    async take(farmer, step) {
      // Appointed furnishers may report on the agents of others; whether they tell the truth is for disputes.
      if (step.do !== 'slander') await farmer.take(step)
    },
    wanted: ['claimed', 'own_agent', 'disputed', '403 lending_limit', '403 self_report', '403 furnisher_not_enabled']
  })
})
