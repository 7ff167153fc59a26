import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { bundle } from './build/bundle.ts'
import { runCommand } from './command.ts'
import { report, type Totals } from './test/report.ts'

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
const tap = join(home, 'node_modules/.bin/tap')

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
const prepare = async (files: string[]): Promise<{ paths: string[]; nodeArguments: string[] }> => {
  if (process.env.NODE_V8_COVERAGE !== undefined)
    return { paths: files.map((file) => join(home, file)), nodeArguments: ['--import=tsx'] }
  const cache = join(home, '.cache')
  mkdirSync(cache, { recursive: true })
  const compiled = mkdtempSync(join(cache, 'tests-'))
  process.once('exit', () => rmSync(compiled, { recursive: true, force: true }))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
  await bundle({ entryPoints: [...files, ...programs], outdir: compiled, home })
  process.env.COMPILED_TESTS = compiled
  return { paths: files.map((file) => join(compiled, file.replace(/\.ts$/, '.js'))), nodeArguments: [] }
}

/**
 * tap compiles itself for the plugins of .taprc. Left alone, it would notice a difference only during a run, which then still loads the plugins that are
 * disabled.
 */
const buildTap = (): void => {
  const { version } = JSON.parse(readFileSync(join(home, 'node_modules/tap/package.json'), 'utf8')) as {
    version: string
  }
  const wanted = `${version}\n${readFileSync(join(home, '.taprc'), 'utf8')}`
  const stamp = join(home, 'node_modules/.cache/tap-built')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  const { status } = spawnSync(process.execPath, [tap, 'build'], { cwd: home, stdio: 'inherit' })
  if (status !== 0) throw new Error('tap could not build itself. See its output above.')
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, wanted)
}

/** @returns the exit code of tap and its totals */
const runFiles = async (files: string[], concurrency: number): Promise<{ exitCode: number; totals?: Totals }> => {
  const { paths, nodeArguments } = await prepare(files)
  buildTap()
  const options = [
    '--reporter=tap',
    `--jobs=${concurrency}`,
    ...nodeArguments.map((argument) => `--node-arg=${argument}`)
  ]
  const child = spawn(process.execPath, [tap, 'run', ...options, ...paths], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'inherit']
  })
  process.once('exit', () => child.kill('SIGTERM'))
  const exit = once(child, 'exit')
  const sources = new Map(paths.map((path, index) => [relative(home, path), files[index] as string]))
  const totals = await report(child.stdout, {
    files: files.length,
    sourceOf: (name) => sources.get(name) ?? name,
    output: process.stdout
  })
  const [exitCode] = (await exit) as [number | null]
  return { exitCode: exitCode ?? 1, ...(totals === undefined ? {} : { totals }) }
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
  const { exitCode, totals } = await runFiles(files, Math.max(1, Number(values.concurrency) || 1))
  if (totals === undefined) throw new Error('tap ended before it was done. See its output above.')
  const { passed, failed, skipped } = totals
  process.stdout.write(`\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`)
  process.exitCode = exitCode === 0 && (failed > 0 || passed === 0) ? 1 : exitCode
}

runCommand(main)
