/* Bare Fastify: under /a it answers the same JSON, under /b it first sends the same SQL through pg by hand, as many at a time and in as many transactions. */
import { createHash } from 'node:crypto'
import fastify from 'fastify'
import pg from 'pg'
import { request } from 'undici'
import { renewer, type BenchCase, type Exchange, type RecordedStatement } from './exchange.ts'

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL, max: 10 })
const app = fastify({ logger: false })
let url = ''

const names = new Map<string, string>()

const nameOf = (text: string): string => {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('base64url').slice(0, 40)
  names.set(text, name)
  return name
}

const replay = async ({ steps, outbound }: Exchange, renew: (value: string | null) => string | null): Promise<void> => {
  const send = (on: pg.Pool | pg.PoolClient, { text, values }: RecordedStatement) => on.query({ name: nameOf(text), text, values: values.map(renew) })
  let client: pg.PoolClient | undefined
  for (const { statements, inTransaction } of steps) {
    if (inTransaction && client === undefined) {
      client = await pool.connect()
      await client.query('begin')
    }
    if (!inTransaction && client !== undefined) {
      await client.query('commit')
      client.release()
      client = undefined
    }
    const on = client ?? pool
    if (statements.length === 1) await send(on, statements[0] as RecordedStatement)
    else await Promise.all(statements.map((statement) => send(on, statement)))
  }
  if (client !== undefined) {
    await client.query('commit')
    client.release()
  }
  for (let i = 0; i < outbound; i++) await (await request(`${url}/upstream`, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })).body.json()
}

app.post('/upstream', async () => ({ request_id: 'upstream' }))

const serve = (cases: { bench: BenchCase; exchange: Exchange }[]): void => {
  for (const { bench, exchange } of cases) {
    const body: unknown = JSON.parse(exchange.answer)
    const renew = renewer(exchange)
    app.route({ method: bench.method, url: `/a/${bench.name}`, handler: async (_request, reply) => reply.code(exchange.status).send(body) })
    app.route({
      method: bench.method,
      url: `/b/${bench.name}`,
      handler: async (_request, reply) => {
        await replay(exchange, renew())
        return reply.code(exchange.status).send(body)
      }
    })
  }
}

process.once('message', (cases: { bench: BenchCase; exchange: Exchange }[]) => {
  serve(cases)
  void app.listen({ host: '127.0.0.1', port: 0 }).then((address) => {
    url = address
    process.send?.({ url })
  })
})
process.once('SIGTERM', () => void Promise.all([app.close(), pool.end()]).then(() => process.exit(0)))
