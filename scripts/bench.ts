import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { createPostgresDatabase } from '../test/build-app.ts'
import { begin, compile, end, type Child } from './bench/children.ts'
import type { BenchCase, Exchange } from './bench/exchange.ts'
import { load, sumUp, type Measured, type Round } from './bench/load.ts'
import { runPgbench } from './bench/pgbench.ts'
import { record, type Recorded } from './bench/recording.ts'
import { reportGrowth, reportSpeed, type GrowthRow, type Row } from './bench/report.ts'
import { addHistory, prepare } from './bench/world.ts'

const help = `Measures this server next to what could be had at the best, in one run, and prints Markdown tables.

  npm run bench -- --database postgres://…

  (a) bare Fastify that answers the same JSON
  (b) bare Fastify that sends, as recorded from this server, the same SQL by hand, one pool.query(text, values) after another
  (b′) the same with named statements, and together what this server sends together
  (c) pgbench with that SQL

  The bank is a process of its own, with a database of its own. Where this server asks it, (b) and (b′) ask it the same.

  --database URL       a PostgreSQL server of your own whose user may create databases (default: TEST_DATABASE_URL); two databases are made and dropped
  --connections LIST   default 1,10,50
  --seconds N          for each measurement of each round, default 2; in each of the three rounds all that is compared takes its turn
  --only WORD          operations whose name contains the word
  --history LIST       also measures how p50 changes as history grows to so many rows, such as 1000,100000,10000000
  --help               this text
`

type FloorPrefix = 'a' | 'b' | 'n'

/** The same requests, to be sent to a floor. */
const onFloor = (bench: BenchCase, prefix: FloorPrefix): BenchCase => ({ ...bench, requests: bench.requests.map((request) => ({ ...request, path: `/${prefix}/${bench.name}` })) })

const usesSql = ({ exchanges }: Recorded): boolean => exchanges.some(({ steps }) => steps.length > 0)

const asksBank = ({ exchanges }: Recorded): boolean => exchanges.some(({ steps }) => steps.some(({ calls }) => calls.length > 0))

/** The machine's speed changes from minute to minute, so that what is compared takes turns. */
const rounds = 3

const measure = async (product: Child, floor: Child, databaseUrl: string, recorded: Recorded, connections: number, seconds: number): Promise<Row> => {
  const { bench, exchanges } = recorded
  const loadFloor = (prefix: FloorPrefix) => load(floor.url, onFloor(bench, prefix), connections, seconds)
  const sql = usesSql(recorded)
  const ways = [
    () => load(product.url, bench, connections, seconds),
    () => loadFloor('a'),
    sql && (() => loadFloor('b')),
    sql && (() => loadFloor('n')),
    sql && !asksBank(recorded) && (() => runPgbench(databaseUrl, exchanges[0] as Exchange, connections, seconds))
  ]
  const seen: Round[][] = ways.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [index, go] of ways.entries()) {
      const one = go === false ? undefined : await go()
      if (one !== undefined) seen[index]?.push(one)
    }
  }
  const [own, ...floors] = seen.map((all) => (all.length === 0 ? undefined : sumUp(all)))
  return { name: bench.name, connections, product: own as Measured, floors }
}

const warmUpConnections = 50

/** Until the compiler of JavaScript knows the code, a server is a different one. */
const warmUp = async (product: Child, floor: Child, recorded: Recorded, seconds: number): Promise<void> => {
  const { bench } = recorded
  await load(product.url, bench, warmUpConnections, seconds)
  const prefixes: FloorPrefix[] = usesSql(recorded) ? ['a', 'b', 'n'] : ['a']
  for (const prefix of prefixes) await load(floor.url, onFloor(bench, prefix), warmUpConnections, seconds)
}

const numbers = (list: string): number[] => list.split(',').map(Number)

const ungrowing = new Set(['accounts', 'transfer'])

/** Health asks no database: what changes there is the machine. */
const grow = async ({ url }: Child, databaseUrl: string, cases: BenchCase[], history: number[], seconds: number): Promise<GrowthRow[]> => {
  const rows: GrowthRow[] = cases.filter(({ name }) => !ungrowing.has(name)).map(({ name }) => ({ name, p50Ms: [] }))
  let have = 0
  for (const count of history) {
    await addHistory(databaseUrl, count - have)
    have = count
    const seen = rows.map((): Round[] => [])
    for (let round = 0; round < rounds; round++) {
      for (const [index, { name }] of rows.entries()) {
        const bench = cases.find((one) => one.name === name) as BenchCase
        if (round === 0) await load(url, bench, warmUpConnections, seconds)
        seen[index]?.push(await load(url, bench, 10, seconds))
      }
    }
    for (const [index, { p50Ms }] of rows.entries()) p50Ms.push(sumUp(seen[index] ?? []).p50Ms)
  }
  return rows
}

const run = async (database: string, { connections, seconds, only, history }: { connections: number[]; seconds: number; only: string; history: number[] }): Promise<void> => {
  compile()
  const made = await createPostgresDatabase(database)
  const madeForBank = await createPostgresDatabase(database)
  const databaseUrl = made.url
  const ingestSecret = 'the-secret-of-the-benchmark'
  const env = {
    ...process.env, NODE_ENV: 'production', DATABASE_URL: databaseUrl, REDIS_URL: '', LOG_LEVEL: 'silent', ATLAS_INGEST_SECRET: ingestSecret,
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'), ATLAS_JWT_SECRET: 'a-secret-for-the-benchmark-alone-0123456789',
    PLAID_CLIENT_ID: 'bench', PLAID_SECRET: 'the-secret-of-the-bank', PLAID_ENV: 'sandbox',
    // So long that it is never reached, as the limits of requests: a machine that stands still for a second is no reason to refuse anything here.
    ATLAS_OVERLOAD_LOOP_DELAY_MS: '60000'
  }
  const running: Child[] = []
  const start = async (script: string, more: NodeJS.ProcessEnv, message?: object): Promise<Child> => {
    const child = await begin(script, { ...env, ...more }, message)
    running.unshift(child)
    return child
  }
  try {
    const bank = await start('bank.js', { BANK_DATABASE_URL: madeForBank.url })
    const atBank = { PLAID_BASE_URL: bank.url }
    const product = await start('product.js', atBank)
    const cases = (await prepare(product.url, databaseUrl, ingestSecret)).filter(({ name }) => name.includes(only))
    const all: Recorded[] = []
    for (const bench of cases) all.push(await record({ product, bank }, bench))
    const floor = await start('floor.js', atBank, all)
    const rows: Row[] = []
    for (const recorded of all) {
      await warmUp(product, floor, recorded, seconds)
      for (const count of connections) rows.push(await measure(product, floor, databaseUrl, recorded, count, seconds))
      console.error(reportSpeed(rows.slice(-connections.length)).split('\n').slice(2).join('\n'))
    }
    console.log(`\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; server, bank, load generator and PostgreSQL on this one machine.\n\n${reportSpeed(rows)}\n`)
    if (history.length > 0) console.log(`\n${reportGrowth(history, await grow(product, databaseUrl, cases, history, seconds))}\n`)
  } finally {
    for (const child of running) await end(child)
    await made.drop()
    await madeForBank.drop()
  }
}

const { values } = parseArgs({
  options: {
    database: { type: 'string' },
    connections: { type: 'string', default: '1,10,50' },
    seconds: { type: 'string', default: '2' },
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
