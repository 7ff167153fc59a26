import assert from 'node:assert/strict'
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { buildApp } from '../../../app.ts'
import { loadConfig } from '../../../plugins/config/index.ts'
import { send } from '../../credentials.ts'

const root = new URL('../../..', import.meta.url)

const freePort = async (): Promise<number> => {
  const server = createServer()
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  await new Promise((done) => server.close(done))
  return port
}

const run = (script: string, env: Record<string, string>): ChildProcess =>
  spawn(process.execPath, ['--import', 'tsx', script], { cwd: root, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] })

const untilReady = async (url: string): Promise<void> => {
  for (;;) {
    const ready = await fetch(`${url}/api/v1/health/ready`).catch(() => undefined)
    if (ready?.ok === true) return
    await pause(50)
  }
}

test('a server that is killed in the middle of spends loses none and doubles none', { timeout: 600_000 }, async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-kill-'))
  const port = await freePort()
  const env = { NODE_ENV: 'development', ATLAS_DATA_DIR: dataDir, PORT: String(port), DATABASE_URL: '', REDIS_URL: '', LOG_LEVEL: 'silent' }
  const url = `http://127.0.0.1:${port}`
  let server: ChildProcess | undefined
  t.after(async () => {
    if (server !== undefined && server.exitCode === null && server.signalCode === null) {
      server.kill('SIGKILL')
      await once(server, 'exit')
    }
    rmSync(dataDir, { recursive: true, force: true })
  })

  const app = await buildApp({ config: loadConfig(env) })
  await app.ready()
  const registered = await app.inject({ method: 'POST', url: '/api/register', payload: { agent_id: 'survivor' } })
  const key: string = registered.json().api_key
  const posting = { walletId: 'survivor', type: 'earn' as const, amountCents: 100_000, description: 'Top-up' }
  await app.database.db.transaction().execute((trx) => app.ledger.post(trx, posting))
  await app.close()

  const spend = async (name: string) => await send(url, 'POST', '/api/spend', { key, body: { amount: 1 }, headers: { 'idempotency-key': name } })
  const names = Array.from({ length: 40 }, (_, i) => `spend-${i}`)
  server = run('server.ts', env)
  await untilReady(url)
  let answered = 0
  const left = [...names]
  // Several clients, each of which waits for its answers: what one statement carries out together is answered together.
  const client = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const answer = await spend(name).catch(() => undefined)
      if (answer?.status === 200 && ++answered === 8) server?.kill('SIGKILL')
    }
  }
  await Promise.all(Array.from({ length: 5 }, client))
  assert.ok(answered >= 8 && answered < names.length, `${answered} of ${names.length} were answered before the kill`)

  server = run('server.ts', env)
  await untilReady(url)
  for (const name of names) assert.equal((await spend(name)).status, 200)
  const { body } = await send(url, 'GET', '/api/balance?agent_id=survivor')
  assert.equal(body.agent.balance, 1000 - names.length)
  server.kill('SIGTERM')
  await once(server, 'exit')

  const verification = run('scripts/ledger-verify.ts', env)
  let told = ''
  verification.stdout?.on('data', (chunk: Buffer) => (told += chunk.toString()))
  const [code] = (await once(verification, 'exit')) as [number]
  assert.equal(code, 0)
  assert.equal(told, `1 wallets, ${names.length + 1} transactions, ${2 * names.length + 2} entries: the book holds.\n`)
})
