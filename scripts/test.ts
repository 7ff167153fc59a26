import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './build/bundle.ts'
import { runCommand } from './command.ts'

/** One more than there are processors, since some wait for other processes. */
const usualConcurrency = availableParallelism() + 1

const help = `Runs the tests, all or those whose file's path contains one of the given words.

  npm test [-- WORD …] [-- --coverage]

  --coverage          also measures which lines ran; the report is in coverage/
  --concurrency N     test files at a time (default: ${usualConcurrency})
  --help              this text

  TEST_DATABASE_URL   a PostgreSQL server to test on instead of the embedded database; its user must be allowed to create databases
  TEST_REDIS_URL      a Redis to share rate limits through
`

const home = fileURLToPath(new URL('..', import.meta.url))
/** What tests start as processes of their own. */
const programs = [
  'server.ts',
  ...['bureau-replay', 'doctor', 'export-openapi', 'ledger-verify', 'mcp', 'operator'].map(
    (name) => `scripts/${name}.ts`
  )
]
const fileLimitMs = 600_000

interface Totals {
  passed: number
  failed: number
  skipped: number
}

const findFiles = (words: string[]): string[] =>
  readdirSync(join(home, 'test'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => join('test', path))
    .filter((path) => words.length === 0 || words.some((word) => path.includes(word)))
    .sort()

/**
 * What Node.js is to run: the test files, compiled with what they start into a folder that no other run uses and that is gone when this one ends. When coverage is
 * measured it is the sources, by tsx, which each process inherits: c8 cannot tell apart the sources of a bundle.
 */
const prepare = async (files: string[]): Promise<string[]> => {
  if (process.env.NODE_V8_COVERAGE !== undefined) return files.map((file) => join(home, file))
  const cache = join(home, '.cache')
  mkdirSync(cache, { recursive: true })
  const compiled = mkdtempSync(join(cache, 'tests-'))
  process.once('exit', () => rmSync(compiled, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  await bundle({ entryPoints: [...files, ...programs], outdir: compiled, home })
  process.env.COMPILED_TESTS = compiled
  process.execArgv = ['--enable-source-maps']
  return files.map((file) => join(compiled, file.replace(/\.ts$/, '.js')))
}

const runFiles = async (files: string[], concurrency: number): Promise<Totals> => {
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 }
  const stream = run({ files: await prepare(files), concurrency, timeout: fileLimitMs })
  stream.on('test:pass', ({ details, skip }) => {
    if (details.type === 'suite') return
    if (skip === undefined || skip === false) totals.passed += 1
    else totals.skipped += 1
  })
  stream.on('test:fail', ({ details }) => {
    if (details.type !== 'suite') totals.failed += 1
  })
  await pipeline(stream, new spec(), async (report: AsyncIterable<Buffer | string>) => {
    for await (const part of report) process.stdout.write(part)
  })
  return totals
}

/** Runs this script once more under c8, which reads the coverage that V8 counts. */
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

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      coverage: { type: 'boolean', default: false },
      concurrency: { type: 'string', default: String(usualConcurrency) },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) {
    process.stdout.write(help)
    return
  }
  if (values.coverage) {
    process.exitCode = measure(process.argv.slice(2))
    return
  }
  const files = findFiles(positionals)
  if (files.length === 0) throw new Error('No test file has such a name.')
  const { passed, failed, skipped } = await runFiles(files, Math.max(1, Number(values.concurrency) || 1))
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  if (failed > 0 || passed === 0) process.exitCode = 1
}

runCommand(main)
