import { mkdirSync, rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { MutantResult, MutantStatus } from '@stryker-mutator/api/core'
import { Stryker } from '@stryker-mutator/core'
import { areas, type Area } from '../test/mutation/areas.ts'
import { dropMutationDatabases } from '../test/test-database.ts'
import { runCommand } from './command.ts'

const help = `Changes the code where money and promises are at stake in small ways, one at a time, and counts the changes that no test notices.
Prints each of those, and at the end the score of each file: the share of its changes that were noticed.

  npm run test:mutation [-- AREA …] [-- OPTIONS]

  AREA                ${areas.map(({ name }) => name).join(', ')} (default: all)
  --only FILE:A-B     of one AREA, only the changes in lines A to B of this file
  --concurrency N     changes that are tried at a time (default: 2)
  --help              this text

  TEST_DATABASE_URL   a PostgreSQL server to test on, one run at a time; on the embedded database it takes much longer

Ends with 1 when less than 80 % of all changes were noticed.
`

const home = fileURLToPath(new URL('..', import.meta.url))
const temporary = join(home, '.cache/mutation/temporary')
const databaseUrl = process.env.TEST_DATABASE_URL ?? ''
const leastPercent = 80
/** A change whose test file ran into its time limit was noticed too: it made something wait for ever. */
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
    // A test file that is ended at its first failure leaves its database behind, and only one on PostgreSQL is used again by the next.
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
  // Stryker tells what survived, but not what ran into a limit: whether it hung or the machine did is for somebody to judge.
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

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      concurrency: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    process.stdout.write(help)
    return 0
  }
  const unknown = positionals.filter((name) => !areas.some((area) => area.name === name))
  if (unknown.length > 0)
    throw new Error(`There is no area ${unknown.join(', ')}. There are: ${areas.map(({ name }) => name).join(', ')}.`)
  const chosen = areas.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  if (values.only !== undefined && chosen.length !== 1)
    throw new Error('With --only, name one area: its tests are the ones to run.')
  mkdirSync(temporary, { recursive: true })
  process.env.TMPDIR = temporary
  // Seconds. Stryker's own limit ends a file that hangs; tap's default of 30 would take a busy machine for a noticed change.
  process.env.TAP_TIMEOUT = '600'
  // The rate limits are no part of any area.
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
}

runCommand(main)
