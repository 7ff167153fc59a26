import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { createPostgresDatabase } from '../test/build-app.ts'
import { begin, compile, end, type Child } from './bench/children.ts'
import type { BenchCase, Exchange } from './bench/exchange.ts'
import { measureGrowth, type Grown } from './bench/growth.ts'
import { load, sumUp, type Measured } from './bench/load.ts'
import { findPgbench, runPgbench } from './bench/pgbench.ts'
import { record, type Recorded } from './bench/recording.ts'
import { reportGrowth, reportSpeed, type Row } from './bench/report.ts'
import { takeTurns, type Way } from './bench/turns.ts'
import { addHistory, prepare } from './bench/world.ts'

const help = `Measures this server next to what could be had at the best, in one run, and prints Markdown tables.

  npm run bench -- --database postgres://…

  (a) bare Fastify that answers the same JSON
  (b) bare Fastify that sends, as recorded from this server, the same SQL by hand, one pool.query(text, values) after another
  (b′) the same with named statements, and together what this server sends together
  (c) pgbench with that SQL

  The bank is a process of its own, with a database of its own. Where this server asks it, (b) and (b′) ask it the same.

  --database URL       a PostgreSQL server of your own whose user may create databases (default: TEST_DATABASE_URL); two databases are made and dropped, and one for each size of history
  --connections LIST   default 1,10,50
  --seconds N          whole ones, for each measurement of each round, default 2; in each of the four rounds all that is compared takes its turn
  --only WORD          operations whose name contains the word
  --history LIST       also measures how p50 changes as history grows to so many rows, such as 1000,100000,10000000
  --help               this text
`

type FloorPrefix = 'a' | 'b' | 'n'

/** The same requests, to be sent to a floor. */
const onFloor = (bench: BenchCase, prefix: FloorPrefix): BenchCase => ({
  ...bench,
  requests: bench.requests.map((request) => ({ ...request, path: `/${prefix}/${bench.name}` }))
})

const usesSql = ({ exchanges }: Recorded): boolean => exchanges.some(({ steps }) => steps.length > 0)

const asksBank = ({ exchanges }: Recorded): boolean =>
  exchanges.some(({ steps }) => steps.some(({ calls }) => calls.length > 0))

/** As often to as fro. */
const rounds = 4

const measure = async (
  product: Child,
  floor: Child,
  databaseUrl: string,
  recorded: Recorded,
  connections: number,
  seconds: number
): Promise<Row> => {
  const { bench, exchanges } = recorded
  const onto = (prefix: FloorPrefix) => () => load(floor.url, onFloor(bench, prefix), connections, seconds)
  const ways: Way[] = [() => load(product.url, bench, connections, seconds), onto('a')]
  if (usesSql(recorded)) ways.push(onto('b'), onto('n'))
  const pgbench = findPgbench()
  if (usesSql(recorded) && !asksBank(recorded) && pgbench !== undefined)
    ways.push(() => runPgbench(pgbench, databaseUrl, exchanges[0] as Exchange, connections, seconds))
  const [own, ...floors] = (await takeTurns(ways, rounds)).map(sumUp)
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

const run = async (
  database: string,
  { connections, seconds, only, history }: { connections: number[]; seconds: number; only: string; history: number[] }
): Promise<void> => {
  await compile()
  const ingestSecret = 'the-secret-of-the-benchmark'
  const env = {
    ...process.env,
    NODE_ENV: 'production',
    REDIS_URL: '',
    LOG_LEVEL: 'silent',
    ATLAS_INGEST_SECRET: ingestSecret,
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    ATLAS_JWT_SECRET: 'a-secret-for-the-benchmark-alone-0123456789',
    PLAID_CLIENT_ID: 'bench',
    PLAID_SECRET: 'the-secret-of-the-bank',
    PLAID_ENV: 'sandbox',
    // So long that it is never reached, as the limits of requests: a machine that stands still for a second is no reason to refuse anything here.
    ATLAS_OVERLOAD_LOOP_DELAY_MS: '60000'
  }
  const toEnd: (() => Promise<void>)[] = []
  const createDatabase = async (): Promise<string> => {
    const made = await createPostgresDatabase(database)
    toEnd.unshift(() => made.drop())
    return made.url
  }
  const start = async (script: string, more: NodeJS.ProcessEnv, message?: object): Promise<Child> => {
    const child = await begin(script, { ...env, ...more }, message)
    toEnd.unshift(() => end(child))
    return child
  }
  try {
    const bank = await start('bank.js', { BANK_DATABASE_URL: await createDatabase() })
    const startProduct = async () => {
      const at = { DATABASE_URL: await createDatabase(), PLAID_BASE_URL: bank.url }
      const product = await start('product.js', at)
      return { at, product, cases: await prepare(product.url, at.DATABASE_URL, ingestSecret) }
    }
    const { at, product, cases } = await startProduct()
    const all: Recorded[] = []
    for (const bench of cases.filter(({ name }) => name.includes(only)))
      all.push(await record({ product, bank }, bench))
    const floor = await start('floor.js', at, all)
    const rows: Row[] = []
    for (const recorded of all) {
      await warmUp(product, floor, recorded, seconds)
      for (const count of connections)
        rows.push(await measure(product, floor, at.DATABASE_URL, recorded, count, seconds))
      console.error(reportSpeed(rows.slice(-connections.length)).split('\n').slice(2).join('\n'))
    }
    console.log(
      `\nNode ${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}; server, bank, load generator and PostgreSQL on this one machine.\n\n${reportSpeed(rows)}\n`
    )
    const grown: Grown[] = []
    for (const count of history) {
      const { at, product, cases } = await startProduct()
      await addHistory(at.DATABASE_URL, count)
      grown.push({ product, cases: cases.filter(({ name }) => name.includes(only) || name === 'health') })
    }
    if (grown.length > 0) console.log(`\n${reportGrowth(history, await measureGrowth(grown, seconds))}\n`)
  } finally {
    for (const work of toEnd) await work()
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
