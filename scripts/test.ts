import { spawnSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { t } from 'tap'
import { parse } from 'yaml'
import { compiledArguments } from '../test/machines/scripts.ts'
import { bundle } from './build/bundle.ts'
import { runWithArguments } from './command.ts'
import { announce, countOf } from './progress.ts'
import { report } from './test/report.ts'

/** One more than the number of processors, because some tests wait for other processes. */
const usualConcurrency = availableParallelism() + 1

const help = `Runs all tests, or those whose file path contains one of the given words.

  npm test [-- WORD …] [-- OPTIONS]
  npm run test:deep [-- WORD …] [-- OPTIONS]

test:deep runs the files with random searches only, each search 20 times as long as in \`npm test\` and with a different seed.

  --coverage          measure line coverage; writes the report to coverage/
  --concurrency N     test files at a time (default: ${usualConcurrency})
  --seed N            the seed of test:deep (default: a new one, which is printed)
  --help              this text

  TEST_DATABASE_URL   PostgreSQL server to use instead of the embedded database; its user must be able to create databases
  TEST_REDIS_URL      Redis to use for rate limits
`

interface Totals {
  passed: number
  failed: number
  skipped: number
}

const home = fileURLToPath(new URL('..', import.meta.url))
/** Programs that tests start as separate processes. */
const programs = [
  'server.ts',
  ...['bureau-replay', 'doctor', 'export-openapi', 'generate', 'ledger-verify', 'mcp', 'operator'].map(
    (name) => `scripts/${name}.ts`
  )
]

const findFiles = (words: string[]): string[] =>
  readdirSync(join(home, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()

const memory = '/dev/shm'
const memoryNeededBytes = 2 ** 30

/** The folder for all files that tests write: in memory when there is room, because copying and removing database files on a disk costs as much CPU as opening them. */
const createScratch = (): string => {
  const { bavail, bsize } = existsSync(memory) ? statfsSync(memory) : { bavail: 0, bsize: 0 }
  const scratch = mkdtempSync(join(bavail * bsize >= memoryNeededBytes ? memory : tmpdir(), 'atlas-tests-'))
  // PostgreSQL servers that tests start run as another user.
  chmodSync(scratch, 0o755)
  process.once('exit', () => rmSync(scratch, { recursive: true, force: true }))
  return scratch
}

const isSearch = (file: string): boolean => readFileSync(join(home, file), 'utf8').includes("/search.ts'")

/**
 * The programs to run: the test files, compiled together with the programs that they start into a temporary folder of this run. When coverage is
 * measured, tsx runs the sources instead, because c8 cannot distinguish the sources in a bundle.
 */
const prepare = async (files: string[]): Promise<{ paths: string[]; nodeArguments: string[] }> => {
  if (process.env.NODE_V8_COVERAGE !== undefined)
    return { paths: files.map((file) => join(home, file)), nodeArguments: ['--import=tsx'] }
  const cache = join(home, '.cache')
  mkdirSync(cache, { recursive: true })
  const compiled = mkdtempSync(join(cache, 'tests-'))
  process.once('exit', () => rmSync(compiled, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  announce(`Compiling ${countOf(files.length, 'test file')}`)
  await bundle({ entryPoints: [...files, ...programs], outdir: compiled, home })
  process.env.COMPILED_TESTS = compiled
  return {
    paths: files.map((file) => join(compiled, file.replace(/\.ts$/, '.js'))),
    nodeArguments: compiledArguments
  }
}

/** Runs every file in a separate process, several at a time, and prints tap's report. */
const runFiles = async (files: string[], concurrency: number): Promise<Totals> => {
  const { paths, nodeArguments } = await prepare(files)
  const { timeout: usual } = parse(readFileSync(join(home, '.taprc'), 'utf8')) as { timeout: number }
  const timeout = process.env.DEEP_SEARCH_SEED === undefined ? usual : 10 * usual
  // tap preloads its coverage recorder into every process through NODE_OPTIONS: 0.5 s of CPU and 50 MB for each test file and each server that a test starts.
  const command = ['env', `NODE_OPTIONS=${process.env.NODE_OPTIONS ?? ''}`, process.execPath, ...nodeArguments]
  const env = { ...process.env, TAP_TIMEOUT: String(timeout), TMPDIR: createScratch() }
  t.setTimeout(0)
  t.jobs = concurrency
  t.register()
  const reported = report(t, { files: files.length, output: process.stdout })
  files.forEach((file, index) => {
    const [program = '', ...args] = [...command, paths[index] as string]
    void t.spawn(program, args, {
      name: file,
      buffered: true,
      stdio: 'inherit',
      cwd: home,
      env,
      timeout: timeout * 1000
    })
  })
  t.end()
  await reported
  const { pass, fail, skip, todo } = t.counts
  return { passed: pass, failed: fail, skipped: skip + todo }
}

/** Runs this script again under c8, which reads V8's coverage. */
const measure = (args: string[]): number => {
  const c8 = join(createRequire(import.meta.url).resolve('c8/package.json'), '../bin/c8.js')
  const options = [
    '--reporter=text-summary',
    '--reporter=html',
    '--include=plugins/**',
    '--include=modules/**',
    '--include=app.ts',
    '--include=client/**',
    '--include=scripts/generate/**'
  ]
  const again = [
    process.execPath,
    ...process.execArgv,
    fileURLToPath(import.meta.url),
    ...args.filter((arg) => arg !== '--coverage')
  ]
  return spawnSync(process.execPath, [c8, ...options, ...again], { cwd: home, stdio: 'inherit' }).status ?? 1
}

const options = {
  coverage: { type: 'boolean' },
  deep: { type: 'boolean', default: false },
  seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  concurrency: { type: 'string', default: String(usualConcurrency) }
} as const

runWithArguments({ help, options, allowPositionals: true }, async (values, words) => {
  if (values.coverage === true) return measure(process.argv.slice(2))
  const files = findFiles(words).filter((file) => !values.deep || isSearch(file))
  if (values.deep) {
    process.env.DEEP_SEARCH_SEED = values.seed
    process.stdout.write(`Seed ${values.seed}. Repeat with: npm run test:deep -- --seed ${values.seed}\n`)
  }
  if (files.length === 0) throw new Error('No test file path contains one of these words.')
  const { passed, failed, skipped } = await runFiles(files, Math.max(1, Number(values.concurrency) || 1))
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  // tap sets the exit code when a test fails.
  if (passed === 0) process.exitCode = 1
})
