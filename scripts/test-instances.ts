import { randomInt } from 'node:crypto'
import { checksOf } from '../test/instances/checks.ts'
import { startFleet, missingPrograms } from '../test/instances/fleet.ts'
import { runToEnd } from '../test/machines/cleanup.ts'
import { runWithArguments } from './command.ts'
import { SeededRandom } from './seeded-random.ts'

const help = `Starts several instances of the server in production mode, with one PostgreSQL and one Redis, behind nginx. Verifies that they behave like
one server: requests to all features, revocation, sessions, rate limits, idempotency keys, spends, webhooks, a rolling restart under load
that drops no request, and at the end the whole ledger.

  npm run test:instances [-- --instances N] [-- --seed N]

  --instances N       number of instances, from 2 to 8 (default: 4)
  --seed N            seed of an earlier run, which printed it
  --help              show this text

  TEST_DATABASE_URL   PostgreSQL server to use (default: starts one, from the Debian package postgresql)
  TEST_REDIS_URL      Redis to use (default: starts one, from the Debian package redis-server)

Always starts nginx (Debian package nginx). Everything listens on free ports of 127.0.0.1 and stops at the end.
`

const environment = (name: string): string | undefined => (process.env[name] === '' ? undefined : process.env[name])

const wholeNumber = (text: string, what: string): number => {
  const number = Number(text)
  if (!Number.isSafeInteger(number)) throw new Error(`${what} must be a whole number.`)
  return number
}

const run = async (instances: number, seed: number): Promise<boolean> => {
  const servers = { databaseUrl: environment('TEST_DATABASE_URL'), redisUrl: environment('TEST_REDIS_URL') }
  const missing = missingPrograms(servers)
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

const options = { instances: { type: 'string', default: '4' }, seed: { type: 'string' } } as const

runWithArguments({ help, options }, async (values) => {
  const instances = wholeNumber(values.instances, 'The number of instances')
  if (instances < 2 || instances > 8) throw new Error('--instances must be from 2 to 8.')
  const seed = values.seed === undefined ? randomInt(1_000_000_000) : wholeNumber(values.seed, 'The seed')
  return (await run(instances, seed)) ? 0 : 1
})
