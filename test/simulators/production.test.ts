import assert from 'node:assert/strict'
import { Session } from 'node:inspector/promises'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { t, test } from 'tap'
import { openDatabase } from '../../plugins/database/index.ts'
import { migrateToLatest } from '../../plugins/database/migrate.ts'
import { migrateToLatest as migrateSimulators } from '../../simulators/migrate.ts'
import { startApp } from '../build-app.ts'
import { createPartner, send } from '../credentials.ts'

const env = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://unused@localhost/unused',
  ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  ATLAS_JWT_SECRET: 'a secret of the tests that is long enough',
  LOG_LEVEL: 'silent',
  PLAID_CLIENT_ID: 'client',
  PLAID_SECRET: 'secret',
  PLAID_ENV: 'production',
  STRIPE_SECRET_KEY: 'sk_live_1',
  STRIPE_WEBHOOK_SECRET: 'whsec_1'
}

const dataDir = mkdtempSync(join(tmpdir(), 'atlas-production-'))
/** Migrated as in production: only by the main migrations. */
const database = await openDatabase({ databaseUrl: undefined, databasePoolSize: 1, dataDir }, () => undefined)
t.teardown(async () => {
  await database.close()
  rmSync(dataDir, { recursive: true })
})
await migrateToLatest(database.db)

const tablesOfSimulators = async (): Promise<string[]> => {
  const { rows } = await sql<{ name: string }>`
    select schemaname || '.' || tablename as name from pg_tables
    where schemaname not in ('pg_catalog', 'information_schema')
      and (schemaname = 'simulators' or tablename ~ 'sim(ulator)?s?_')`.execute(database.db)
  return rows.map(({ name }) => name)
}

/** Texts that only the code of each simulator contains. They are joined here, so that this file does not contain them. */
const marks = { plaid: ['Tartan', 'Bank'].join(' '), stripe: ['/simulator', 'disputes'].join('/') }

/** The simulators whose code this process has loaded. */
const loadedSimulators = async (): Promise<string[]> => {
  const session = new Session()
  session.connect()
  const ids: string[] = []
  session.on('Debugger.scriptParsed', ({ params }) => {
    if (params.url.startsWith('file:')) ids.push(params.scriptId)
  })
  await session.post('Debugger.enable')
  const sources = await Promise.all(ids.map((scriptId) => session.post('Debugger.getScriptSource', { scriptId })))
  session.disconnect()
  return Object.entries(marks).flatMap(([name, mark]) =>
    sources.some(({ scriptSource }) => scriptSource.includes(`'${mark}'`) || scriptSource.includes(`"${mark}"`))
      ? [name]
      : []
  )
}

test('a production server with real keys has no table, route or loaded code of a simulator', async (t) => {
  const { app, url } = await startApp(t, { env, database })
  const { testKey } = await createPartner(database)
  const refused = await send(url, 'POST', '/v1/sandbox/public_token', { key: testKey, body: {} })
  assert.deepEqual([refused.status, refused.body.error], [503, 'plaid_not_configured'])
  assert.match(refused.body.detail as string, /Set ATLAS_SIMULATORS=true and run `npm run migrate`/)
  assert.deepEqual(app.simulators, { plaid: undefined, stripe: undefined })
  assert.deepEqual(app.plaid.environments, [['live']])
  assert.doesNotMatch(app.printRoutes({ commonPrefix: false }), /simulator/)
  assert.deepEqual(await tablesOfSimulators(), [])
  assert.deepEqual(await loadedSimulators(), [])
})

test('with ATLAS_SIMULATORS=true, test credentials reach simulated banks beside the real keys', async (t) => {
  await migrateSimulators(database.db)
  const { app, url } = await startApp(t, { env: { ...env, ATLAS_SIMULATORS: 'true' }, database })
  const { testKey } = await createPartner(database)
  const made = await send(url, 'POST', '/v1/sandbox/public_token', { key: testKey, body: {} })
  assert.equal(made.status, 200, made.text)
  assert.deepEqual(app.plaid.environments, [['test'], ['live']])
  assert.equal(app.simulators.stripe, undefined)
  assert.ok((await tablesOfSimulators()).includes('simulators.plaid_items'))
  assert.deepEqual(await loadedSimulators(), ['plaid'])
})
