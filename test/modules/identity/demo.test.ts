import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { ensureDemoPartner } from '../../../modules/identity/index.ts'
import { openTestDatabase, startApp, type Cleaner } from '../../build-app.ts'
import { call, register } from './client.ts'

/** A new data directory, for instances that share one. */
const newFolder = (t: Cleaner): string => {
  const folder = mkdtempSync(join(tmpdir(), 'atlas-demo-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('the first start creates a demo partner with an operator and a working key; later starts keep it', async (t) => {
  const { app, url, config } = await startApp(t)
  const demo = await ensureDemoPartner(app)
  assert.ok(demo !== undefined)
  assert.equal((await call(url, '/v1/activity', { bearer: demo.testKey })).status, 200)
  const signIn = await call(url, '/api/v1/auth/login', {
    method: 'POST',
    body: { email: demo.email, password: demo.password }
  })
  assert.equal(signIn.status, 200)
  const partners = await call(url, '/api/v1/admin/partners', { bearer: String(signIn.body.access_token) })
  const items = partners.body.items as Record<string, unknown>[]
  assert.deepEqual(items.map(({ name }) => name).sort(), ['Demo Furnisher', 'Demo Partner'])
  assert.equal(items.find(({ name }) => name === 'Demo Partner')?.id, demo.partnerId)
  assert.equal(statSync(join(config.dataDir, 'demo.json')).mode & 0o777, 0o600)
  assert.deepEqual(await ensureDemoPartner(app), demo)
})

test('the demo furnisher reports on agents of the demo partner, which cannot do so itself', async (t) => {
  const { app, url } = await startApp(t)
  const demo = await ensureDemoPartner(app)
  assert.ok(demo !== undefined)
  const body = { email: demo.email, password: demo.password }
  const { access_token } = (await call(url, '/api/v1/auth/login', { method: 'POST', body })).body
  const agent = { agent_id: 'demo-agent' }
  await call(url, '/api/register', { method: 'POST', bearer: String(access_token), body: agent })
  await call(url, '/v2/api/register', { method: 'POST', body: agent })
  const report = { ...agent, reporter_name: 'R', reporter_platform: 'p', report_type: 'payment_ontime' }
  const send = async (bearer: string) =>
    (await call(url, '/v2/api/report', { method: 'POST', bearer, body: report })).status
  assert.deepEqual([await send(demo.furnisherKey), await send(demo.testKey)], [200, 403])
})

test('no demo partner is created where partners exist, and a file of another database is ignored', async (t) => {
  const { app, url, config, database } = await startApp(t)
  await register(url, 'ada@example.com')
  assert.equal(await ensureDemoPartner(app), undefined)
  writeFileSync(
    join(config.dataDir, 'demo.json'),
    JSON.stringify({ partnerId: 'gone', email: 'a@b.example', password: 'a', testKey: 'b' })
  )
  assert.equal(await ensureDemoPartner(app), undefined)
  assert.equal((await database.db.selectFrom('partners').select('id').execute()).length, 1)
})

test('a start recovers from an earlier one that died before the commit or left an incomplete file', async (t) => {
  for (const left of [
    '{"partnerId": "7d0f',
    JSON.stringify({ partnerId: 'never committed', email: 'demo@atlasforge.test', password: 'a', testKey: 'b' })
  ]) {
    const { app, url, config } = await startApp(t)
    writeFileSync(join(config.dataDir, 'demo.json'), left)
    const demo = await ensureDemoPartner(app)
    assert.ok(demo !== undefined)
    assert.deepEqual(JSON.parse(readFileSync(join(config.dataDir, 'demo.json'), 'utf8')), demo)
    assert.equal((await call(url, '/v1/activity', { bearer: demo.testKey })).status, 200)
  }
})

test('instances that start concurrently create one demo partner and return the same secrets', async (t) => {
  const database = await openTestDatabase(t)
  const env = { ATLAS_DATA_DIR: newFolder(t) }
  const instances = [await startApp(t, { database, env }), await startApp(t, { database, env })]
  const demos = await Promise.all([...instances, ...instances].map(({ app }) => ensureDemoPartner(app)))
  assert.ok(demos[0] !== undefined)
  for (const demo of demos) assert.deepEqual(demo, demos[0])
  assert.equal((await database.db.selectFrom('partners').select('id').execute()).length, 2)
})

test('production has no demo partner', async (t) => {
  const { app, database } = await startApp(t, {
    env: {
      NODE_ENV: 'production',
      DATABASE_URL: 'postgres://unused@localhost/unused',
      ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
      ATLAS_JWT_SECRET: 'a secret of the tests that is long enough',
      LOG_LEVEL: 'silent'
    }
  })
  assert.equal(await ensureDemoPartner(app), undefined)
  assert.deepEqual(await database.db.selectFrom('partners').select('id').execute(), [])
})
