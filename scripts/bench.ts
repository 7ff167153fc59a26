import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createPostgresDatabase } from '../test/build-app.ts'
import { findFresh, freshKey, type BenchCase, type Exchange } from './bench/exchange.ts'
import { load } from './bench/load.ts'
import { runPgbench } from './bench/pgbench.ts'
import { reportGrowth, reportSpeed, type GrowthRow, type Row } from './bench/report.ts'
import { addHistory, prepare } from './bench/world.ts'

const help = `Measures this server next to what could be had at the best, in one run, and prints Markdown tables.

  npm run bench -- --database postgres://…

  (a) bare Fastify that answers the same JSON; (b) bare Fastify that sends the same SQL by hand, as recorded from this server; (c) pgbench with that SQL.

  --database URL       a PostgreSQL server of your own whose user may create databases (default: TEST_DATABASE_URL); a database is made and dropped
  --connections LIST   default 1,10,50
  --seconds N          for each measurement, default 4
  --only WORD          operations whose name contains the word
  --history LIST       also measures how p50 changes as history grows to so many rows, such as 1000,100000,10000000
  --help               this text
`

interface Child {
  process: ChildProcess
  url: string
}

const home = fileURLToPath(new URL('..', import.meta.url))
const compiled = join(home, '.cache/bench')

/** Compiles what is measured as for production: what compiles while it loads adds something of its own to functions. */
const compile = (): void => {
  rmSync(compiled, { recursive: true, force: true })
  execFileSync(process.execPath, [createRequire(import.meta.url).resolve('typescript/bin/tsc'), '-p', join(home, 'scripts/bench')], { stdio: 'inherit' })
  for (const file of ['package.json', 'spec/generated/openapi.json']) copyFileSync(join(home, file), join(compiled, file))
}

const begin = async (script: string, env: NodeJS.ProcessEnv, message?: unknown): Promise<Child> => {
  const child = fork(join(compiled, 'scripts/bench', script), [], { env, execArgv: [], serialization: 'json' })
  if (message !== undefined) child.send(message as object)
  const [told] = (await once(child, 'message')) as [{ url: string }]
  return { process: child, url: told.url }
}

const end = async ({ process: child }: Child): Promise<void> => {
  child.kill('SIGTERM')
  await once(child, 'exit')
}

const ask = async (child: ChildProcess, message: 'start' | 'stop'): Promise<Pick<Exchange, 'steps' | 'outbound'> | undefined> => {
  child.send(message)
  const [{ recorded }] = (await once(child, 'message')) as [{ recorded?: Pick<Exchange, 'steps' | 'outbound'> }]
  return recorded
}

const recordOnce = async ({ process: child, url }: Child, bench: BenchCase): Promise<Omit<Exchange, 'fresh'>> => {
  await ask(child, 'start')
  const headers = { ...bench.headers, ...(bench.keyed === true ? { 'idempotency-key': freshKey() } : {}) }
  const response = await fetch(`${url}${bench.path}`, { method: bench.method, headers, ...(bench.body === undefined ? {} : { body: JSON.stringify(bench.body) }) })
  const answer = await response.text()
  const recorded = await ask(child, 'stop')
  if (!response.ok || recorded === undefined) throw new Error(`${bench.name} answered ${response.status}: ${answer}`)
  return { ...recorded, status: response.status, answer }
}

/** What the server does for one request. The first one is not looked at, since it opens connections; two others tell what is different each time. */
const record = async (product: Child, bench: BenchCase): Promise<Exchange> => {
  await recordOnce(product, bench)
  const other = await recordOnce(product, bench)
  const exchange = await recordOnce(product, bench)
  return { ...exchange, fresh: findFresh(exchange, other) }
}

const measure = async (product: Child, floor: Child, databaseUrl: string, bench: BenchCase, exchange: Exchange, connections: number, seconds: number): Promise<Row> => {
  const usesSql = exchange.steps.length > 0
  const at = (prefix: string): string => `${floor.url}/${prefix}/${bench.name}`
  return {
    name: bench.name,
    connections,
    product: await load(`${product.url}${bench.path}`, bench, connections, seconds),
    bareJson: await load(at('a'), bench, connections, seconds),
    bareSql: usesSql ? await load(at('b'), bench, connections, seconds) : undefined,
    pgbench: usesSql && exchange.outbound === 0 ? runPgbench(databaseUrl, exchange, connections, seconds) : undefined
  }
}

const warmUpConnections = 50

/** Until the compiler of JavaScript knows the code, a server is a different one. */
const warmUp = async (urls: string[], bench: BenchCase, seconds: number): Promise<void> => {
  for (const url of urls) await load(url, bench, warmUpConnections, seconds)
}

const numbers = (list: string): number[] => list.split(',').map(Number)

const ungrowing = new Set(['health', 'accounts', 'transfer'])

const grow = async (product: Child, databaseUrl: string, cases: BenchCase[], history: number[], seconds: number): Promise<GrowthRow[]> => {
  const rows: GrowthRow[] = cases.filter(({ name }) => !ungrowing.has(name)).map(({ name }) => ({ name, p50Ms: [] }))
  let have = 0
  for (const count of history) {
    await addHistory(databaseUrl, count - have)
    have = count
    for (const row of rows) {
      const bench = cases.find(({ name }) => name === row.name) as BenchCase
      const { url } = product
      await warmUp([`${url}${bench.path}`], bench, seconds)
      row.p50Ms.push((await load(`${url}${bench.path}`, bench, 10, seconds)).p50Ms)
    }
  }
  return rows
}

const run = async (database: string, { connections, seconds, only, history }: { connections: number[]; seconds: number; only: string; history: number[] }): Promise<void> => {
  compile()
  const made = await createPostgresDatabase(database)
  const databaseUrl = made.url
  const ingestSecret = 'the-secret-of-the-benchmark'
  const env = {
    ...process.env, NODE_ENV: 'production', DATABASE_URL: databaseUrl, REDIS_URL: '', LOG_LEVEL: 'silent', ATLAS_INGEST_SECRET: ingestSecret,
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'), ATLAS_JWT_SECRET: 'a-secret-for-the-benchmark-alone-0123456789'
  }
  const product = await begin('product.js', env)
  const running = [product]
  try {
    const cases = (await prepare(product.url, databaseUrl, ingestSecret)).filter(({ name }) => name.includes(only))
    const recorded = []
    for (const bench of cases) recorded.push({ bench, exchange: await record(product, bench) })
    const floor = await begin('floor.js', env, recorded)
    running.push(floor)
    const rows: Row[] = []
    for (const { bench, exchange } of recorded) {
      const floors = exchange.steps.length > 0 ? ['a', 'b'] : ['a']
      await warmUp([`${product.url}${bench.path}`, ...floors.map((prefix) => `${floor.url}/${prefix}/${bench.name}`)], bench, seconds)
      for (const count of connections) rows.push(await measure(product, floor, databaseUrl, bench, exchange, count, seconds))
      console.error(reportSpeed(rows.slice(-connections.length)).split('\n').slice(2).join('\n'))
    }
    console.log(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; server, load generator and PostgreSQL on this one machine.\n\n${reportSpeed(rows)}\n`)
    if (history.length > 0) console.log(`\n${reportGrowth(history, await grow(product, databaseUrl, cases, history, seconds))}\n`)
  } finally {
    await Promise.all(running.map(end))
    await made.drop()
  }
}

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    connections: { type: 'string', default: '1,10,50' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    history: { type: 'string' },
    help: { type: 'boolean' }
  }
})
const database = values.database ?? process.env.TEST_DATABASE_URL

if (values.help === true) console.log(help)
else if (database === undefined) {
  console.error('Name a PostgreSQL server with --database; --help tells more.')
  process.exitCode = 1
} else {
  run(database, {
    connections: numbers(values.connections),
    seconds: Number(values.seconds),
    only: values.only,
    history: values.history === undefined ? [] : numbers(values.history)
  }).catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
