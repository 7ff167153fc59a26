import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildApp } from '../app.ts'
import { loadConfig } from '../plugins/config/index.ts'
import { ensureDemoPartner } from '../modules/identity/index.ts'
import { printable, runWithArguments } from './command.ts'

const help = `Links a sandbox bank and reads from it. Prints each request and its response.

  npm run quickstart [-- --url http://127.0.0.1:3000] [--key afg_test_…]

  --url URL   server to use (default: the server on PORT of this machine; if there is none, a temporary one)
  --key KEY   test key to use (default: the demo partner's key, stored in ATLAS_DATA_DIR)
  --help      show this text
`

type Json = Record<string, unknown>

interface Step {
  title: string
  method: 'GET' | 'POST'
  path: string
  body?: Json
  anonymous?: boolean
}

const maxLines = 40

const print = (value: unknown): void => {
  const lines = JSON.stringify(value, null, 2).split('\n')
  const shown =
    lines.length <= maxLines ? lines : [...lines.slice(0, maxLines), `… ${lines.length - maxLines} more lines`]
  console.log(shown.map((line) => `  ${printable(line)}`).join('\n'))
}

const run = async (url: string, key: string, { title, method, path, body, anonymous }: Step): Promise<Json> => {
  console.log(`\n# ${title}\n${method} ${path}`)
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
  const json = (await response.json()) as Json
  console.log(`→ ${response.status}`)
  print(json)
  if (!response.ok) throw new Error(`${method} ${path} failed with ${response.status}: ${String(json.detail)}`)
  return json
}

const runAll = async (url: string, key: string): Promise<void> => {
  const userId = `usr_${randomUUID().slice(0, 8)}`
  await run(url, key, { title: 'Check that the server is up', method: 'GET', path: '/api/v1/health', anonymous: true })
  const { public_token } = await run(url, key, {
    title: 'Create a public token, as Plaid Link does in a browser',
    method: 'POST',
    path: '/v1/sandbox/public_token',
    body: { institution_id: 'ins_109508' }
  })
  await run(url, key, {
    title: 'Link the bank with the public token',
    method: 'POST',
    path: '/v1/accounts/link',
    body: { public_token, user_id: userId, institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' } }
  })
  await run(url, key, { title: 'Get current balances', method: 'GET', path: `/v1/accounts?user_id=${userId}` })
  const first = await run(url, key, {
    title: 'Get transactions, oldest change first',
    method: 'GET',
    path: `/v1/transactions?user_id=${userId}&limit=2`
  })
  await run(url, key, {
    title: 'Get the next page',
    method: 'GET',
    path: `/v1/transactions?user_id=${userId}&limit=2&cursor=${encodeURIComponent(String(first.next_cursor))}`
  })
  console.log('\nDone. Try every other operation at /docs.')
}

const isReady = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/api/v1/health/ready`, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}

const readDemoKey = (dataDir: string): string => {
  try {
    return (JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8')) as { testKey: string }).testKey
  } catch {
    throw new Error(`${dataDir} has no key of a demo partner. Pass a test key with --key.`)
  }
}

const options = { url: { type: 'string' }, key: { type: 'string' } } as const

runWithArguments({ help, options }, async (values) => {
  const config = loadConfig(process.env)
  const url = values.url ?? `http://127.0.0.1:${config.port}`
  if (values.url !== undefined || (await isReady(url)))
    return await runAll(url, values.key ?? readDemoKey(config.dataDir))
  console.log(`No server is running at ${url}. Starting a temporary one.`)
  const app = await buildApp({ config })
  try {
    const ownUrl = await app.listen({ host: '127.0.0.1', port: 0 })
    const demo = await ensureDemoPartner(app)
    await runAll(ownUrl, values.key ?? demo?.testKey ?? readDemoKey(config.dataDir))
  } finally {
    await app.close()
  }
})
