import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { buildApp } from '../../app.ts'
import { loadConfig } from '../../plugins/config/index.ts'
import { fillDataDir } from '../build-app.ts'
import { root, scriptToRun } from '../machines/scripts.ts'
import { call, login, register } from '../modules/identity/client.ts'

const operator = (dataDir: string, ...args: string[]): Promise<{ status: number | null; output: string }> =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [...scriptToRun('scripts/operator.ts'), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, NODE_ENV: 'development', ATLAS_DATA_DIR: dataDir }
    })
    let output = ''
    const collect = (chunk: Buffer): void => void (output += chunk.toString())
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.once('error', failed)
    child.once('close', (status) => done({ status, output }))
  })

test('operators are promoted by id or verified address, and not while a server uses the embedded database', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-operator-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  await fillDataDir(dataDir)
  const withServer = async <T>(work: (url: string) => Promise<T>): Promise<T> => {
    const app = await buildApp({ config: loadConfig({ NODE_ENV: 'test', ATLAS_DATA_DIR: dataDir }) })
    try {
      return await work(await app.listen({ host: '127.0.0.1', port: 0 }))
    } finally {
      await app.close()
    }
  }
  const adminStatus = async () =>
    await withServer(
      async (url) =>
        (await call(url, '/api/v1/admin/partners', { bearer: (await login(url, 'ada@example.com')).jwt })).status
    )

  const userId = await withServer(async (url) => {
    const { userId: id } = await register(url, 'ada@example.com')
    const busy = await operator(dataDir, 'promote', 'ada@example.com')
    assert.equal(busy.status, 1)
    assert.match(busy.output, /stop the server, or set DATABASE_URL/)
    assert.doesNotMatch(busy.output, /\n\s+at /, 'no stack trace')
    return id
  })
  assert.equal(await adminStatus(), 403)
  const unverified = await operator(dataDir, 'promote', 'ada@example.com')
  assert.equal(unverified.status, 1)
  assert.match(unverified.output, /^The address ada@example\.com is not verified/)
  assert.equal(await adminStatus(), 403)
  assert.deepEqual(await operator(dataDir, 'promote', userId), {
    status: 0,
    output: `${userId} is an operator, starting with the next request.\n`
  })
  assert.equal(await adminStatus(), 200)
  assert.equal((await operator(dataDir, 'demote', userId)).status, 0)
  assert.equal(await adminStatus(), 403)
  assert.equal((await operator(dataDir, 'verify-email', 'ADA@example.com')).status, 0)
  assert.deepEqual(await operator(dataDir, 'promote', 'ADA@example.com'), {
    status: 0,
    output: 'ADA@example.com is an operator, starting with the next request.\n'
  })
  assert.equal(await adminStatus(), 200)
  const unknown = await operator(dataDir, 'promote', 'unknown@example.com')
  assert.equal(unknown.status, 1)
  assert.match(unknown.output, /^No user has the id or address unknown@example\.com\./)
  assert.equal((await operator(dataDir, 'demote', 'ada@example.com')).status, 0)
  assert.equal(await adminStatus(), 403)
})

test('the command prints its help, and rejects missing arguments', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-operator-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const help = await operator(dataDir, '--help')
  assert.equal(help.status, 0)
  assert.match(help.output, /npm run operator -- promote <user id or verified email>/)
  assert.equal((await operator(dataDir, 'promote')).status, 2)
})
