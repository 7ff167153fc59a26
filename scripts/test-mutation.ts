import { mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { MutantResult, MutantStatus } from '@stryker-mutator/api/core'
import { Stryker } from '@stryker-mutator/core'
import { areas, type Area } from '../test/mutation/areas.ts'
import { dropMutationDatabases } from '../test/test-database.ts'
import { runWithArguments } from './command.ts'

const help = `Makes small changes to critical code, one at a time, and counts those that no test detects. Prints each undetected change, and the score of
each file: the share of its changes that a test detected.

  npm run test:mutation [-- AREA …] [-- OPTIONS]

  AREA                ${areas.map(({ name }) => name).join(', ')} (default: all)
  --only FILE:A-B     change only lines A to B of this file; requires one AREA
  --concurrency N     changes to test at a time (default: 2)
  --help              show this text

  TEST_DATABASE_URL   PostgreSQL server to test on, one run at a time (default: the embedded database, which is much slower)

Exits with 1 when the tests detected less than 80 % of all changes.
`

const home = fileURLToPath(new URL('..', import.meta.url))
const temporary = join(home, '.cache/mutation/temporary')
const databaseUrl = process.env.TEST_DATABASE_URL ?? ''
const leastPercent = 80
/** A timeout counts as detected: the change caused an endless wait. */
const noticed: MutantStatus[] = ['Killed', 'Timeout', 'RuntimeError']
const statuses: MutantStatus[] = [...noticed, 'Survived', 'NoCoverage']

const tryChanges = async (
  { mutate, domains, tests }: Area,
  concurrency: number,
  only: string | undefined
): Promise<MutantResult[]> => {
  const options = {
    configFile: 'test/mutation/stryker.config.js',
    mutate: only === undefined ? mutate : [only],
    buildCommand: [
      'tsx test/mutation/bundle.ts',
      ...domains.map((domain) => `--domain ${domain}`),
      ...tests.map((path) => `--test ${path}`)
    ].join(' '),
    // A test file that stops at its first failure does not drop its database. The next file reuses it on PostgreSQL only.
    tap: { testFiles: tests.map((path) => `bundled/test/${path}.test.js`), forceBail: databaseUrl !== '' },
    concurrency
  }
  return await new Stryker(options).runMutationTest()
}

const percentOf = (results: MutantResult[]): number =>
  (100 * results.filter(({ status }) => noticed.includes(status)).length) / results.length

const rowOf = (name: string, results: MutantResult[]): (string | number)[] => [
  name,
  results.length,
  ...statuses.map((wanted) => results.filter(({ status }) => status === wanted).length),
  `${percentOf(results).toFixed(1)} %`
]

const print = (results: MutantResult[]): void => {
  // Stryker prints the surviving changes, but not the timeouts, which can also be caused by a slow machine.
  for (const { fileName, location, mutatorName, replacement } of results.filter(({ status }) => status === 'Timeout')) {
    console.log(
      `timed out: ${relative(home, fileName)}:${location.start.line}:${location.start.column} ${mutatorName}: ${(replacement ?? '').split('\n', 1)[0]}`
    )
  }
  const files = [...new Set(results.map(({ fileName }) => fileName))].sort()
  const rows = files.map((file) =>
    rowOf(
      relative(home, file),
      results.filter(({ fileName }) => fileName === file)
    )
  )
  const table = [
    ['file', 'changes', 'killed', 'timed out', 'crashed', 'survived', 'not run', 'score'],
    ...rows,
    rowOf('all', results)
  ]
  for (const [name, ...cells] of table)
    console.log(String(name).padEnd(40) + cells.map((cell) => String(cell).padStart(10)).join(''))
}

const options = { only: { type: 'string' }, concurrency: { type: 'string', default: '2' } } as const

runWithArguments({ help, options, allowPositionals: true }, async (values, positionals) => {
  const unknown = positionals.filter((name) => !areas.some((area) => area.name === name))
  if (unknown.length > 0)
    throw new Error(`Unknown area ${unknown.join(', ')}. Areas: ${areas.map(({ name }) => name).join(', ')}.`)
  const chosen = areas.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (values.only !== undefined && chosen.length !== 1)
    throw new Error('--only requires one AREA, which determines the tests to run.')
  mkdirSync(temporary, { recursive: true })
  process.env.TMPDIR = temporary
  // Seconds. Stryker's own limit ends a file that hangs. With tap's default of 30, a busy machine would count as a detected change.
  process.env.TAP_TIMEOUT = '600'
  // No area includes the rate limits.
  delete process.env.TEST_REDIS_URL
  const results: MutantResult[] = []
  try {
    for (const area of chosen)
      results.push(...(await tryChanges(area, Math.max(1, Number(values.concurrency) || 1), values.only)))
  } finally {
    rmSync(temporary, { recursive: true, force: true })
    if (databaseUrl !== '') await dropMutationDatabases(databaseUrl)
  }
  print(results)
  return percentOf(results) < leastPercent ? 1 : 0
})
