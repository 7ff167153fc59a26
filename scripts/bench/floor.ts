/*
 * Bare Fastify, three times. Under /a it answers the same JSON. Under /b it first does what the server was recorded to do, as one writes it by hand with pg: one
 * `pool.query(text, values)` after another. Under /n the statements have names, so that PostgreSQL plans them once, and what the server had under way together goes
 * out together. Both send the bank what the server sent it, with identifiers of their own, and go on with what the bank answered.
 */
import { createHash } from 'node:crypto'
import fastify from 'fastify'
import pg from 'pg'
import { request } from 'undici'
import { isBegin, isEnd, renewer, type Exchange, type RecordedCall, type RecordedStatement, type Renewal } from './exchange.ts'
import type { Recorded } from './recording.ts'

interface Manner {
  pool: pg.Pool
  /** The one connection that takes locks beyond a transaction: only that which has taken one can release it. */
  locks: pg.Pool
  named: boolean
  together: boolean
}

const open = (max: number, pipeline: boolean): pg.Pool => new pg.Pool({ connectionString: process.env.DATABASE_URL, max, pipeline })

const manners: Record<'b' | 'n', Manner> = {
  b: { pool: open(10, false), locks: open(1, false), named: false, together: false },
  n: { pool: open(10, true), locks: open(1, true), named: true, together: true }
}

const isLock = (text: string): boolean => /\bpg_(?:try_)?advisory_(?:un)?lock\b/.test(text)

const names = new Map<string, string>()

const nameOf = (text: string): string => {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('base64url').slice(0, 40)
  names.set(text, name)
  return name
}

const askBank = async (call: RecordedCall, { renew, take }: Renewal): Promise<void> => {
  const { statusCode, body } = await request(`${process.env.PLAID_BASE_URL}${call.path}`, { method: call.method, headers: call.headers, body: renew(call.body) })
  const answer = await body.json()
  if (statusCode !== 200) throw new Error(`The bank answered ${call.path} with ${statusCode}: ${JSON.stringify(answer)}`)
  take(call, answer)
}

const replay = async ({ pool, locks, named, together }: Manner, { steps }: Exchange, renewal: Renewal): Promise<void> => {
  const clients = new Map<number | undefined, pg.PoolClient>()
  const send = ({ text, values, transaction }: RecordedStatement): Promise<unknown> =>
    (clients.get(transaction) ?? (isLock(text) ? locks : pool)).query({ text, values: values.map(renewal.renew), ...(named && values.length > 0 ? { name: nameOf(text) } : {}) })
  for (const { statements, calls } of steps) {
    for (const { transaction } of statements.filter(isBegin)) clients.set(transaction, await pool.connect())
    const work = [...statements.map((statement) => () => send(statement)), ...calls.map((call) => () => askBank(call, renewal))]
    if (together) await Promise.all(work.map((one) => one()))
    else for (const one of work) await one()
    for (const { transaction } of statements.filter(isEnd)) clients.get(transaction)?.release()
  }
}

/** Does and answers, for each case, what was recorded of its requests, in turn. */
const serve = (cases: Recorded[]): void => {
  for (const { bench, exchanges } of cases) {
    const recorded = exchanges.map((exchange) => ({ exchange, answer: JSON.parse(exchange.answer) as unknown, renew: renewer(exchange) }))
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
process.once('SIGTERM', () => void Promise.all([app.close(), ...Object.values(manners).flatMap(({ pool, locks }) => [pool.end(), locks.end()])]).then(() => process.exit(0)))
