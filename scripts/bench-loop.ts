import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { ingestSecret, onStage, type Child } from './bench/children.ts'
import { call } from './bench/world.ts'
import { runWithArguments } from './command.ts'
import { announce } from './progress.ts'

const help = `Measures how long single requests hold the event loop of a server, so that it serves nothing else meanwhile. Prints a Markdown table. The bank
runs in a separate process.

  npm run bench:loop -- --database postgres://…

  --database URL   PostgreSQL server whose user can create databases (default: TEST_DATABASE_URL)
  --times N        requests of each kind (default: 5)
  --help           show this text
`

interface Call {
  method: string
  path: string
  token?: string
  body?: string
}

/** Sends a measured request, which may be faulty. @throws Error when the server did not do its work */
const send = async (url: string, { method, path, token, body }: Call): Promise<string> => {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() })
    },
    ...(body === undefined ? {} : { body })
  })
  const text = await response.text()
  if (response.status === 429 || response.status >= 500)
    throw new Error(`${method} ${path} answered ${response.status}: ${text}`)
  return text
}

/** The kinds of requests. A function creates calls that differ each time, from their number. */
const prepare = async (url: string): Promise<[name: string, callOf: (nth: number) => Call | Promise<Call>][]> => {
  const signUp = { email: 'bench@example.test', password: randomUUID() }
  const { access_token: jwt, user } = await call(url, 'POST', '/api/v1/auth/register', signUp)
  const { key: token } = await call(url, 'POST', '/v1/api-keys', { name: 'bench', environment: 'test' }, jwt)
  const linkUser = async (userId: string): Promise<void> => {
    const { public_token: publicToken } = await call(url, 'POST', '/v1/sandbox/public_token', {}, token)
    await call(url, 'POST', '/v1/accounts/link', { public_token: publicToken, user_id: userId }, token)
  }
  const { id: projectId } = await call(url, 'POST', '/v1/projects', { name: 'bench' }, token)
  for (let n = 0; n < 400; n++)
    await call(url, 'POST', '/v1/tasks', { projectId, title: `Task ${n}`, description: 'ä'.repeat(9_000) }, token)
  await linkUser('usr_0')
  const get = (path: string): Call => ({ method: 'GET', path, token })
  const post = (path: string, body: object, by = token): Call => ({
    method: 'POST',
    path,
    token: by,
    body: JSON.stringify(body)
  })
  const usage = { partner_id: user.partner_id, event_type: 'transaction', amount_cents: 100, category: 'food' }
  const events = Array.from({ length: 500 }, (_, n) => ({ ...usage, user_id: `usr_${n}` }))
  return [
    [
      'first sync of an item, and a page of 500',
      async (nth) => {
        await linkUser(`usr_new_${nth}`)
        return get(`/v1/transactions?user_id=usr_new_${nth}&limit=500`)
      }
    ],
    ['page of 500 transactions', () => get('/v1/transactions?user_id=usr_0&limit=500&cursor=')],
    ['page of 400 tasks, 7 MB', () => get('/v1/tasks?limit=500')],
    ['forecast of a new end-user', (nth) => get(`/v1/insights/cashflow?user_id=usr_new_${nth}`)],
    ['usage of a year by day', () => get('/v1/usage?from=2026-01-01&to=2026-12-31&interval=day')],
    ['batch of 500 usage events', () => post('/api/ingest/events/batch', { events }, ingestSecret)],
    ...[12_000, 100_000].map((count): [string, () => Call] => [
      `${count} faulty items`,
      () => post('/api/ingest/events/batch', { events: Array(count).fill({}) }, ingestSecret)
    ]),
    ['the specification', () => get('/openapi.json')],
    ['the Postman collection', () => get('/v1/postman_collection.json')]
  ]
}

const heldMs = async ({ process: child }: Child): Promise<number> => {
  child.send('held')
  const [answer] = (await once(child, 'message')) as [{ heldMs: number }]
  return answer.heldMs
}

const measure = async (server: Child, times: number): Promise<void> => {
  announce('Creating the data')
  const cases = await prepare(server.url)
  process.stdout.write('| request | first, ms | later, most, ms |\n| --- | ---: | ---: |\n')
  for (const [name, callOf] of cases) {
    const held: number[] = []
    for (let nth = 0; nth < times; nth++) {
      const measured = await callOf(nth)
      await heldMs(server)
      await send(server.url, measured)
      held.push(await heldMs(server))
    }
    const [first = 0, ...later] = held
    process.stdout.write(`| ${name} | ${first.toFixed(0)} | ${Math.max(...later).toFixed(0)} |\n`)
  }
}

const options = {
  database: { type: 'string', default: process.env.TEST_DATABASE_URL ?? '' },
  times: { type: 'string', default: '5' }
} as const

runWithArguments({ help, options }, async ({ database, times }) => {
  if (database === '') throw new Error('Set --database to a PostgreSQL server. See --help.')
  announce('Compiling and starting the servers')
  await onStage(database, async ({ createDatabase, start }) => {
    const bank = await start('bank.js', { BANK_DATABASE_URL: await createDatabase() })
    const server = await start('loop.js', { DATABASE_URL: await createDatabase(), PLAID_BASE_URL: bank.url })
    await measure(server, Number(times))
  })
})
