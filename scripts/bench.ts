import { cpus } from 'node:os'
import { ingestSecret, onStage, type Child } from './bench/children.ts'
import type { BenchCase, Exchange } from './bench/exchange.ts'
import { measureGrowth, type Grown } from './bench/growth.ts'
import { load, sumUp, type Measured } from './bench/load.ts'
import { findPgbench, runPgbench } from './bench/pgbench.ts'
import { record, type Recorded } from './bench/recording.ts'
import { reportGrowth, reportSpeed, type Row } from './bench/report.ts'
import { takeTurns, type Way } from './bench/turns.ts'
import { addHistory, prepare } from './bench/world.ts'
import { runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Compares this server with theoretical limits in one run. Prints Markdown tables.

  npm run bench -- --database postgres://…

  (a) bare Fastify that returns the same JSON
  (b) bare Fastify that runs the SQL recorded from this server, one pool.query(text, values) after another
  (b′) like (b), with named statements, and pipelined where this server pipelines
  (c) pgbench with that SQL

  The bank runs in a separate process with a separate database. (b) and (b′) send it the same requests as this server.

  --database URL       PostgreSQL server whose user can create databases (default: TEST_DATABASE_URL); creates and drops two databases, and one per size of history
  --connections LIST   numbers of connections (default: 1,10,50)
  --seconds N          whole seconds per measurement (default: 2); each of the four rounds measures every variant once
  --only WORD          measure only operations whose name contains the word
  --history LIST       also measure p50 with these numbers of history rows, such as 1000,100000,10000000
  --help               show this text
`

type FloorPrefix = 'a' | 'b' | 'n'

/** The same requests for a floor. */
const onFloor = (bench: BenchCase, prefix: FloorPrefix): BenchCase => ({
  ...bench,
  requests: bench.requests.map((request) => ({ ...request, path: `/${prefix}/${bench.name}` }))
})

const usesSql = ({ exchanges }: Recorded): boolean => exchanges.some(({ steps }) => steps.length > 0)

const asksBank = ({ exchanges }: Recorded): boolean =>
  exchanges.some(({ steps }) => steps.some(({ calls }) => calls.length > 0))

/** Even, so that each order of the variants runs equally often. */
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

/** Sends requests until the JIT compiler has optimized the code. */
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
  announce('Compiling and starting the servers')
  await onStage(database, async ({ createDatabase, start }) => {
    const bank = await start('bank.js', { BANK_DATABASE_URL: await createDatabase() })
    const startProduct = async () => {
      const at = { DATABASE_URL: await createDatabase(), PLAID_BASE_URL: bank.url }
      const product = await start('product.js', at)
      return { at, product, cases: await prepare(product.url, at.DATABASE_URL, ingestSecret) }
    }
    const { at, product, cases } = await startProduct()
    const all: Recorded[] = []
    announce('Recording the SQL of each operation')
    for (const bench of cases.filter(({ name }) => name.includes(only)))
      all.push(await record({ product, bank }, bench))
    const floor = await start('floor.js', at, all)
    const rows: Row[] = []
    for (const [index, recorded] of all.entries()) {
      announce(`Measuring ${recorded.bench.name}, operation ${index + 1} of ${all.length}`)
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
      announce(`Creating ${count} rows of history`)
      const { at, product, cases } = await startProduct()
      await addHistory(at.DATABASE_URL, count)
      grown.push({ product, cases: cases.filter(({ name }) => name.includes(only) || name === 'health') })
    }
    if (grown.length > 0) announce('Measuring with each size of history')
    if (grown.length > 0) console.log(`\n${reportGrowth(history, await measureGrowth(grown, seconds))}\n`)
  })
}

const options = {
  database: { type: 'string', default: process.env.TEST_DATABASE_URL ?? '' },
  connections: { type: 'string', default: '1,10,50' },
  seconds: { type: 'string', default: '2' },
  only: { type: 'string', default: '' },
  history: { type: 'string' }
} as const

runWithArguments({ help, options }, async ({ database, connections, seconds, only, history }) => {
  if (database === '') throw new Error('Set --database to a PostgreSQL server. See --help.')
  await run(database, {
    connections: numbers(connections),
    seconds: Number(seconds),
    only,
    history: history === undefined ? [] : numbers(history)
  })
})
