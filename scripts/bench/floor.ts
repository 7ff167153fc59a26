/*
 * Bare Fastify, three times. /a returns the same JSON. /b first does the recorded work of the server, as one writes it by hand with pg and Plaid's package: one
 * `pool.query(text, values)` after another. /n names the statements, so that PostgreSQL plans them once, runs in parallel what the server ran in parallel, and
 * calls the bank with undici. Both send the recorded requests to the bank with new identifiers, and use its responses.
 */
import { createHash } from 'node:crypto'
import fastify from 'fastify'
import pg from 'pg'
import { Configuration, PlaidApi } from 'plaid'
import { request } from 'undici'
import {
  isBegin,
  isEnd,
  renewer,
  type Exchange,
  type RecordedCall,
  type RecordedStatement,
  type Renewal
} from './exchange.ts'
import type { Recorded } from './recording.ts'

type AskBank = (call: RecordedCall, body: string) => Promise<unknown>

interface Manner {
  pool: pg.Pool
  /** The connection for session locks, which only the connection that took them can release. */
  locks: pg.Pool
  named: boolean
  together: boolean
  askBank: AskBank
}

const { DATABASE_URL, PLAID_BASE_URL = '', PLAID_CLIENT_ID, PLAID_SECRET } = process.env

const plaid = new PlaidApi(
  new Configuration({
    basePath: PLAID_BASE_URL,
    baseOptions: { headers: { 'PLAID-CLIENT-ID': PLAID_CLIENT_ID, 'PLAID-SECRET': PLAID_SECRET } }
  })
)

/** The package has a method for each path, such as `transferCreate` for `/transfer/create`. */
const askByPackage: AskBank = async ({ path }, body) => {
  const method = path.slice(1).replaceAll(/[/_](\w)/g, (_match, letter: string) => letter.toUpperCase())
  const methods = plaid as unknown as Partial<Record<string, (body: unknown) => Promise<{ data: unknown }>>>
  // A floor without the calls would be too fast.
  if (methods[method] === undefined) throw new Error(`Plaid's package has no method for ${path}.`)
  return (await methods[method](JSON.parse(body))).data
}

const askByUndici: AskBank = async ({ method, path, headers }, body) => {
  const answered = await request(`${PLAID_BASE_URL}${path}`, { method, headers, body })
  const answer = await answered.body.json()
  if (answered.statusCode !== 200)
    throw new Error(`The bank returned ${answered.statusCode} for ${path}: ${JSON.stringify(answer)}`)
  return answer
}

const open = (max: number, pipeline: boolean): pg.Pool => new pg.Pool({ connectionString: DATABASE_URL, max, pipeline })

const manners: Record<'b' | 'n', Manner> = {
  b: { pool: open(10, false), locks: open(1, false), named: false, together: false, askBank: askByPackage },
  n: { pool: open(10, true), locks: open(1, true), named: true, together: true, askBank: askByUndici }
}

const isLock = (text: string): boolean => /\bpg_(?:try_)?advisory_(?:un)?lock\b/.test(text)

const names = new Map<string, string>()

const nameOf = (text: string): string => {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('base64url').slice(0, 40)
  names.set(text, name)
  return name
}

const replay = async (
  { pool, locks, named, together, askBank }: Manner,
  { steps }: Exchange,
  renewal: Renewal
): Promise<void> => {
  const clients = new Map<number | undefined, pg.PoolClient>()
  const send = ({ text, values, transaction }: RecordedStatement): Promise<unknown> =>
    (clients.get(transaction) ?? (isLock(text) ? locks : pool)).query({
      text,
      values: values.map(renewal.renew),
      ...(named && values.length > 0 ? { name: nameOf(text) } : {})
    })
  const ask = async (call: RecordedCall): Promise<void> =>
    renewal.take(call, await askBank(call, renewal.renew(call.body)))
  for (const { statements, calls } of steps) {
    for (const { transaction } of statements.filter(isBegin)) clients.set(transaction, await pool.connect())
    const work = [...statements.map((statement) => () => send(statement)), ...calls.map((call) => () => ask(call))]
    if (together) await Promise.all(work.map((one) => one()))
    else for (const one of work) await one()
    for (const { transaction } of statements.filter(isEnd)) clients.get(transaction)?.release()
  }
}

/** Replays the recorded exchanges of each case in turn. */
const serve = (cases: Recorded[]): void => {
  for (const { bench, exchanges } of cases) {
    const recorded = exchanges.map((exchange) => ({
      exchange,
      answer: JSON.parse(exchange.answer) as unknown,
      renew: renewer(exchange)
    }))
    let turn = 0
    const next = () => recorded[turn++ % recorded.length] as (typeof recorded)[number]
    app.route({
      method: bench.method,
      url: `/a/${bench.name}`,
      handler: async (_request, reply) => {
        const { exchange, answer } = next()
        return reply.code(exchange.status).send(answer)
      }
    })
    for (const [prefix, manner] of Object.entries(manners)) {
      app.route({
        method: bench.method,
        url: `/${prefix}/${bench.name}`,
        handler: async (_request, reply) => {
          const { exchange, answer, renew } = next()
          await replay(manner, exchange, renew())
          return reply.code(exchange.status).send(answer)
        }
      })
    }
  }
}

const app = fastify({ logger: false })

process.once('message', (cases: Recorded[]) => {
  serve(cases)
  void app.listen({ host: '127.0.0.1', port: 0 }).then((url) => process.send?.({ url }))
})
process.once(
  'SIGTERM',
  () =>
    void Promise.all([
      app.close(),
      ...Object.values(manners).flatMap(({ pool, locks }) => [pool.end(), locks.end()])
    ]).then(() => process.exit(0))
)
