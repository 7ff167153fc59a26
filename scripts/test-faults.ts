import { randomInt } from 'node:crypto'
import { Skipped, type Scenario } from '../test/faults/scenario.ts'
import { scenarios } from '../test/faults/scenarios/index.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { runWithArguments } from './command.ts'
import { SeededRandom } from './seeded-random.ts'

const help = `Injects faults and verifies the invariants after each scenario: the ledger, every acknowledged effect (present, and only once), equal
responses for equal idempotency keys, the bureau's counters, the steps of transfers, and the delivery of every event.

  npm run test:faults [-- --only NAME …] [-- --seed N]

  --only NAME   run only this scenario; repeatable
  --seed N      seed of an earlier run, which printed it (timing still varies)
  --list        list the scenarios and exit
  --help        show this text

Takes some minutes. Starts and kills its own PostgreSQL and Redis servers, from the Debian packages postgresql and redis-server. As root
it also mounts a small disk to fill; without root it skips that scenario.
`

type Result = 'passed' | 'failed' | 'skipped'

const play = async (scenario: Scenario, seed: number): Promise<Result> => {
  console.log(`\n== ${scenario.name}: ${scenario.fault} (seed ${seed})`)
  const begun = performance.now()
  const seconds = () => `${((performance.now() - begun) / 1000).toFixed(1)} s`
  try {
    await runToEnd((t) =>
      scenario.run({ ...t, random: new SeededRandom(seed), note: (text) => console.log(`   ${text}`) })
    )
    console.log(`   passed in ${seconds()}`)
    return 'passed'
  } catch (error) {
    if (error instanceof Skipped) {
      console.log(`   skipped: ${error.message}`)
      return 'skipped'
    }
    console.error(error)
    console.error(
      `   FAILED after ${seconds()}; reproduce with: npm run test:faults -- --only ${scenario.name} --seed ${seed}`
    )
    return 'failed'
  }
}

const choose = (names: string[]): Scenario[] =>
  names.length === 0
    ? scenarios
    : names.map((name) => {
        const found = scenarios.find((scenario) => scenario.name === name)
        if (found === undefined)
          throw new Error(
            `Unknown scenario ${name}. Scenarios: ${scenarios.map((scenario) => scenario.name).join(', ')}.`
          )
        return found
      })

const options = {
  only: { type: 'string', multiple: true, default: [] as string[] },
  seed: { type: 'string' },
  list: { type: 'boolean' }
} as const

runWithArguments({ help, options }, async (values) => {
  if (values.list === true)
    return void console.log(scenarios.map(({ name, fault }) => `${name.padEnd(20)}${fault}`).join('\n'))
  const seed = values.seed === undefined ? randomInt(1_000_000_000) : Number(values.seed)
  if (!Number.isSafeInteger(seed)) throw new Error('--seed must be a whole number.')
  const results: Result[] = []
  for (const scenario of choose(values.only)) results.push(await play(scenario, seed))
  const count = (wanted: Result) => results.filter((result) => result === wanted).length
  const [passed, failed, skipped] = [count('passed'), count('failed'), count('skipped')]
  console.log(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
  return failed > 0 || passed === 0 ? 1 : 0
})
