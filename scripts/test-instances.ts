import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { checksOf } from '../test/instances/checks.ts'
import { startFleet, whatIsMissing } from '../test/instances/fleet.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { runCommand } from './command.ts'
import { SeededRandom } from './seeded-random.ts'

const help = `Starts several instances of the server, in production mode, on one PostgreSQL and one Redis behind nginx, and verifies that they are as one:
a walk through everything, revocation, sessions, rate limits, idempotency keys, spends, webhooks, a rolling restart under load that drops no
request, and at the end the whole ledger.

  npm run test:instances [-- --instances N] [-- --seed N]

  --instances N       how many, from 2 to 8 (default: 4)
  --seed N            the chance of a run that failed, again (it is printed)
  --help              this text

  TEST_DATABASE_URL   a PostgreSQL server to use; without it one is started (Debian's package postgresql)
  TEST_REDIS_URL      a Redis to use; without it one is started (Debian's package redis-server)

nginx is started in any case (Debian's package nginx). Everything listens on free ports of 127.0.0.1 and is gone at the end.
`

const environment = (name: string): string | undefined => (process.env[name] === '' ? undefined : process.env[name])

const wholeNumber = (text: string, what: string): number => {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new Error(`${what} is a whole number.`)
  return number
}

const run = async (instances: number, seed: number): Promise<boolean> => {
  const servers = { databaseUrl: environment('TEST_DATABASE_URL'), redisUrl: environment('TEST_REDIS_URL') }
  const missing = whatIsMissing(servers)
  if (missing !== undefined) throw new Error(missing)
  const random = new SeededRandom(seed)
  const checks = checksOf(() => random.next())
  console.log(`== starting ${instances} instances behind nginx (seed ${seed})`)
  return await runToEnd(async (t) => {
    const fleet = await startFleet(t, { random, instances, ...servers })
    let passed = 0
    for (const check of checks) {
      const { guarantee } = check
      const begun = performance.now()
      try {
        const seen = await check.run(fleet)
        console.log(`ok      ${guarantee}\n        ${seen} (${((performance.now() - begun) / 1000).toFixed(1)} s)`)
        passed += 1
      } catch (error) {
        console.log(`FAILED  ${guarantee}`)
        console.error(error)
      }
    }
    console.log(`\n${passed} passed, ${checks.length - passed} failed`)
    return passed === checks.length
  })
}

const main = async (): Promise<void> => {
  const { values } = parseArgs({
    options: {
      instances: { type: 'string', default: '4' },
      seed: { type: 'string' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return void process.stdout.write(help)
  const instances = wholeNumber(values.instances, 'The number of instances')
  if (instances < 2 || instances > 8) throw new Error('From 2 to 8 instances can be started.')
  if (
    !(await run(instances, values.seed === undefined ? randomInt(1_000_000_000) : wholeNumber(values.seed, 'The seed')))
  )
    process.exitCode = 1
}

runCommand(main)
