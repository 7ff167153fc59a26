import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildApp } from '../app.ts'
import { loadConfig } from '../plugins/config/index.ts'
import { ensureDemoPartner } from '../modules/identity/index.ts'

const help = `Walks through linking a bank and reading from it, printing each request and its answer.

  npm run quickstart [-- --url http://127.0.0.1:3000] [--key afg_test_…]

Without --url it uses the server on PORT (3000) of this machine; when none answers there, it starts one for the walk.
Without --key it uses the demo partner's key, which the server keeps in ATLAS_DATA_DIR (.atlas).`

type Json = Record<string, unknown>

interface Step {
  what: string
  method: 'GET' | 'POST'
  path: string
  body?: Json
  anonymous?: boolean
}

const mostLines = 40

const print = (answer: unknown): void => {
  const lines = JSON.stringify(answer, null, 2).split('\n')
  const shown =
    lines.length <= mostLines ? lines : [...lines.slice(0, mostLines), `… ${lines.length - mostLines} more lines`]
  console.log(shown.map((line) => `  ${line}`).join('\n'))
}

const take = async (url: string, key: string, { what, method, path, body, anonymous }: Step): Promise<Json> => {
  console.log(`\n# ${what}\n${method} ${path}`)
  if (body !== undefined) print(body)
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      ...(anonymous === true ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'idempotency-key': randomUUID() })
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000)
  })
  const answer = (await response.json()) as Json
  console.log(`→ ${response.status}`)
  print(answer)
  if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${String(answer.detail)}`)
  return answer
}

const walk = async (url: string, key: string): Promise<void> => {
  const userId = `usr_${randomUUID().slice(0, 8)}`
  await take(url, key, { what: 'Is the server well?', method: 'GET', path: '/api/v1/health', anonymous: true })
  const { public_token } = await take(url, key, {
    what: 'A public token, as Plaid Link gives one to a browser',
    method: 'POST',
    path: '/v1/sandbox/public_token',
    body: { institution_id: 'ins_109508' }
  })
  await take(url, key, {
    what: 'Link the bank: exchange the public token',
    method: 'POST',
    path: '/v1/accounts/link',
    body: { public_token, user_id: userId, institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' } }
  })
  await take(url, key, { what: 'Balances as of now', method: 'GET', path: `/v1/accounts?user_id=${userId}` })
  const first = await take(url, key, {
    what: 'Transactions, oldest change first',
    method: 'GET',
    path: `/v1/transactions?user_id=${userId}&limit=2`
  })
  await take(url, key, {
    what: 'The next page',
    method: 'GET',
    path: `/v1/transactions?user_id=${userId}&limit=2&cursor=${encodeURIComponent(String(first.next_cursor))}`
  })
  console.log('\nThat was it. The reference is at /docs, where every operation can be tried.')
}

const answers = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/api/v1/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

const demoKeyIn = (dataDir: string): string => {
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as { testKey: string }).testKey
  } catch {
    throw new Error(`There is no demo partner's key in ${dataDir}. Pass a test key with --key.`)
  }
}

const { values } = parseArgs({
  options: { url: { type: 'string' }, key: { type: 'string' }, help: { type: 'boolean', short: 'h' } }
})

const run = async (): Promise<void> => {
  const config = loadConfig(process.env)
  const url = values.url ?? `http://127.0.0.1:${config.port}`
  if (values.url !== undefined || (await answers(url))) return await walk(url, values.key ?? demoKeyIn(config.dataDir))
  console.log('No server answers here; one is started for the walk.')
  const app = await buildApp({ config })
  try {
    const own = await app.listen({ host: '127.0.0.1', port: 0 })
    const demo = await ensureDemoPartner(app)
    await walk(own, values.key ?? demo?.testKey ?? demoKeyIn(config.dataDir))
  } finally {
    await app.close()
  }
}

if (values.help === true) {
  console.log(help)
} else {
  run().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  })
}
