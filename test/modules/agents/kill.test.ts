import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { test } from 'tap'
import { buildApp } from '../../../app.ts'
import { loadConfig } from '../../../plugins/config/index.ts'
import { fillDataDir } from '../../build-app.ts'
import { send } from '../../credentials.ts'
import { makeFolder } from '../../machines/programs.ts'
import { root, scriptToRun } from '../../machines/scripts.ts'
import { startServerProcess } from '../../machines/server-process.ts'

const run = promisify(execFile)

test('a server killed in the middle of spends loses none and duplicates none', { timeout: 600_000 }, async (t) => {
  const settings = {
    NODE_ENV: 'development',
    ATLAS_DATA_DIR: makeFolder(t, 'kill'),
    DATABASE_URL: '',
    REDIS_URL: '',
    LOG_LEVEL: 'silent'
  }
  await fillDataDir(settings.ATLAS_DATA_DIR)
  const app = await buildApp({ config: loadConfig(settings) })
  await app.ready()
  const registered = await app.inject({ method: 'POST', url: '/api/register', payload: { agent_id: 'survivor' } })
  const key: string = registered.json().api_key
  const posting = { walletId: 'survivor', type: 'earn' as const, amountCents: 100_000, description: 'Top-up' }
  await app.database.db.transaction().execute((trx) => app.ledger.post(trx, posting))
  await app.close()

  const server = await startServerProcess(t, settings)
  const spend = async (name: string) =>
    await send(server.url, 'POST', '/api/spend', { key, body: { amount: 1 }, headers: { 'idempotency-key': name } })
  const names = Array.from({ length: 40 }, (_, i) => `spend-${i}`)
  let succeeded = 0
  let killed: Promise<void> | undefined
  const left = [...names]
  // Several clients that each await their responses, because spends batched into one statement get their responses together.
  const client = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) {
      const response = await spend(name).catch(() => undefined)
      if (response?.status === 200 && ++succeeded === 8) killed = server.crash()
    }
  }
  await Promise.all(Array.from({ length: 5 }, client))
  await killed
  assert.ok(
    succeeded >= 8 && succeeded < names.length,
    `${succeeded} of ${names.length} got a response before the kill`
  )

  await server.start()
  for (const name of names) assert.equal((await spend(name)).status, 200)
  const { body } = await send(server.url, 'GET', '/api/balance?agent_id=survivor')
  assert.equal(body.agent.balance, 1000 - names.length)
  assert.equal(await server.drain(), 0)

  const { stdout } = await run(process.execPath, scriptToRun('scripts/ledger-verify.ts'), {
    cwd: root,
    env: { ...process.env, ...settings }
  })
  assert.equal(stdout, `The ledger is correct: 1 wallet, ${2 * names.length + 2} entries.\n`)
})
