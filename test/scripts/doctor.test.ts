import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { test } from 'tap'
import { loadConfig, type Config } from '../../plugins/config/index.ts'
import { createPlaidSimulator } from '../../simulators/plaid/index.ts'
import { checkKeys, checkNames, checkNode, checkProduction } from '../../scripts/doctor/configuration.ts'
import { checkDatabase, checkEncryption } from '../../scripts/doctor/database.ts'
import type { Finding } from '../../scripts/doctor/finding.ts'
import { checkMail, checkPlaid, checkRedis, checkStripe, checkTwilio } from '../../scripts/doctor/neighbours.ts'
import { checkProxy, checkPublicUrl } from '../../scripts/doctor/reachability.ts'
import { createPostgresDatabase, startApp, type Cleaner } from '../build-app.ts'
import { openMailServer } from '../machines/mail-server.ts'
import { root, scriptToRun } from '../machines/scripts.ts'

const goodSettings = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://atlas@127.0.0.1:1/atlas',
  ATLAS_ENCRYPTION_KEY: 'q83vEjRWeJq83vEjRWeJCgsMDQ4PEBESExQVFhcYGRo=',
  ATLAS_JWT_SECRET: 'a0b1c2d3e4f5g6h7i8j9k0l1m2n3o4p5q6r7',
  ATLAS_PUBLIC_URL: 'https://api.example.com',
  ATLAS_TRUST_PROXY: 'true'
}
const production = (more: Record<string, string> = {}): Config => loadConfig({ ...goodSettings, ...more })

const statesOf = (findings: Finding[], subject: string): string[] =>
  findings.filter((finding) => finding.subject === subject).map(({ state }) => state)

const run = (env: Record<string, string>, ...args: string[]): Promise<{ status: number | null; output: string }> =>
  new Promise((done, failed) => {
    const child = spawn(process.execPath, [...scriptToRun('scripts/doctor.ts'), ...args], {
      cwd: root,
      env: { PATH: process.env.PATH ?? '', ...env }
    })
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    // On a slow machine, standard error has the progress.
    child.stderr.resume()
    child.once('error', failed)
    child.once('close', (status) => done({ status, output }))
  })

const temporaryDir = (t: Cleaner): string => {
  const dir = mkdtempSync(join(tmpdir(), 'atlas-doctor-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

test('a development machine without settings has no errors, and the table says so', async (t) => {
  const { status, output } = await run({ ATLAS_DATA_DIR: temporaryDir(t), PORT: '0' })
  assert.equal(status, 0, output)
  assert.match(output, /^ok {4}Node\.js/)
  assert.match(output, /\nNo problems: the server can start\.\n$/)
})

test('every wrong setting is listed with its fix, secrets are not echoed, and the exit code is non-zero', async () => {
  const env = {
    NODE_ENV: 'production',
    ATLAS_ENCRYPTION_KEY: 'c2hvcnQ=',
    STRIPE_SECRET_KEY: 'sk_test_hidden',
    LOG_LEVEL: 'loud',
    ATLAS_METRIC_PORT: '1',
    ATLAS_METRICS_ENABLED: 'true',
    ATLAS_METRICS_PORT: '3000'
  }
  const { status, output } = await run(env, '--json')
  assert.equal(status, 1)
  assert.match(
    (await run(env)).output,
    /\n6 problems found, with 2 warnings above\. Fix them before you start the server\.\n$/
  )
  const findings = JSON.parse(output) as Finding[]
  const failed = findings.filter(({ state }) => state === 'fail').map(({ found }) => found)
  assert.deepEqual(failed.sort(), [
    'ATLAS_ENCRYPTION_KEY is not valid',
    'ATLAS_JWT_SECRET is missing',
    'ATLAS_METRICS_PORT is not valid',
    'DATABASE_URL is missing',
    'LOG_LEVEL is not valid',
    'STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET belong together'
  ])
  assert.ok(
    findings.every(({ state, cure }) => (cure === undefined) === (state === 'ok')),
    'every finding that is not ok has a cure'
  )
  assert.ok(findings.some(({ cure }) => cure?.startsWith('Did you mean ATLAS_METRICS_PORT?')))
  assert.doesNotMatch(output, /sk_test_hidden|c2hvcnQ/)
})

test('the command prints its help and rejects unknown options', async () => {
  const help = await run({}, '--help')
  assert.equal(help.status, 0)
  assert.match(help.output, /npm run doctor/)
  assert.equal((await run({}, '--instances', 'many')).status, 2)
  assert.equal((await run({}, '--nonsense')).status, 2)
})

test('an old Node.js, guessable keys and development settings in production are reported', async () => {
  assert.deepEqual(
    ['18.20.0', '20.18.3', '20.19.0', '24.1.0'].map((version) => checkNode(version).state),
    ['fail', 'fail', 'ok', 'ok']
  )
  assert.deepEqual(
    checkKeys(production()).map(({ state }) => state),
    ['ok']
  )
  const weak = production({
    ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 1).toString('base64'),
    ATLAS_JWT_SECRET: 'secret'.repeat(8),
    ATLAS_INGEST_SECRET: 'short',
    ATLAS_ENCRYPTION_KEYS_OLD: Buffer.alloc(32, 1).toString('base64')
  })
  assert.deepEqual(
    checkKeys(weak).map(({ state }) => state),
    ['fail', 'fail', 'warn', 'warn']
  )
  assert.deepEqual(checkProduction(production()), [])
  const developmentSettings = {
    ATLAS_DOCS_ENABLED: 'true',
    ATLAS_WEBHOOK_ALLOW_PRIVATE: 'true',
    ATLAS_SANDBOX_AUTOSETTLE: 'true',
    LOG_LEVEL: 'trace',
    ATLAS_OVERLOAD_MEMORY_PERCENT: '0'
  }
  assert.equal(checkProduction(production(developmentSettings)).length, 5)
  assert.deepEqual(checkNames({ ...goodSettings, PATH: '/bin', OTEL_SERVICE_NAME: 'atlas' }), [])
})

test('the form of the public URL is checked, and whether it responds', async (t) => {
  const { url } = await startApp(t)
  assert.equal((await checkPublicUrl({ ...production(), publicUrl: undefined }))[0]?.state, 'warn')
  assert.deepEqual(
    (await checkPublicUrl({ ...production(), publicUrl: `${url}/api` })).map(({ state }) => state),
    ['fail', 'warn', 'warn']
  )
  const developmentSettings = { ...production(), environment: 'development' as const }
  assert.deepEqual(
    (await checkPublicUrl({ ...developmentSettings, publicUrl: url })).map(({ state }) => state),
    ['ok']
  )
  const closed = createServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')
  assert.match(
    (await checkPublicUrl({ ...developmentSettings, publicUrl: `http://127.0.0.1:${port}` }))[0]?.found ?? '',
    /does not respond .*ECONNREFUSED/
  )
  assert.deepEqual(
    [checkProxy(production()).at(0)?.state, checkProxy(production({ ATLAS_TRUST_PROXY: 'false' })).at(0)?.state],
    ['ok', 'warn']
  )
})

test('Plaid and Stripe keys are checked online, and rejected keys differ from an unreachable service', async (t) => {
  const { app, config, database, clock } = await startApp(t)
  const { clientId, secret: plaidSecret } = config.plaid
  const { api: plaid } = await createPlaidSimulator({ db: database.db, clock, clientId, secret: plaidSecret })
  t.teardown(() => plaid.close())
  const plaidAt = await plaid.listen({ host: '127.0.0.1', port: 0 })
  const remote = (mode: 'remote_sandbox', secret: string, baseUrl = plaidAt): Config => ({
    ...config,
    plaid: { ...config.plaid, mode, secret, baseUrl },
    stripe: { ...config.stripe, mode, secretKey: secret }
  })
  assert.equal((await checkPlaid(remote('remote_sandbox', plaidSecret))).state, 'ok')
  assert.equal((await checkPlaid(remote('remote_sandbox', 'x'))).found, 'rejects the keys (INVALID_API_KEYS)')
  assert.match(
    (await checkPlaid(remote('remote_sandbox', plaidSecret, 'http://127.0.0.1:1'))).cure ?? '',
    /Allow connections/
  )
  assert.equal((await checkPlaid(config)).state, 'ok')
  assert.equal((await checkPlaid(production())).state, 'warn')

  const stripePort = (app.simulators.stripe?.api.server.address() as AddressInfo).port
  const stripeAt = { host: '127.0.0.1', port: stripePort, protocol: 'http' as const }
  assert.equal((await checkStripe(remote('remote_sandbox', config.stripe.secretKey), stripeAt)).state, 'ok')
  assert.deepEqual(await checkStripe(remote('remote_sandbox', 'sk_test_wrong'), stripeAt), {
    subject: 'Stripe',
    state: 'fail',
    found: 'rejects the key',
    cure: 'Check STRIPE_SECRET_KEY. It may be revoked or belong to another account.'
  })
  assert.match(
    (await checkStripe(remote('remote_sandbox', 'x'), { ...stripeAt, port: 1, maxNetworkRetries: 0 })).cure ?? '',
    /Allow connections/
  )
})

test('the connection to the mail server is checked', async (t) => {
  const { env } = await openMailServer(t)
  assert.equal((await checkMail(production(env))).state, 'ok')
  assert.equal((await checkMail(production({ ...env, SMTP_URL: 'smtp://127.0.0.1:1' }))).state, 'fail')
  assert.equal((await checkMail(production())).state, 'warn')
})

test('Twilio’s credentials and the state of its account are checked', async (t) => {
  let reply: [number, object] = [200, { status: 'active' }]
  const twilio = createServer((_request, response) =>
    response.writeHead(reply[0], { 'content-type': 'application/json' }).end(JSON.stringify(reply[1]))
  )
  await new Promise<void>((done) => twilio.listen(0, '127.0.0.1', done))
  t.teardown(() => void twilio.close())
  const baseUrl = `http://127.0.0.1:${(twilio.address() as AddressInfo).port}`
  const config = production({
    TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
    TWILIO_AUTH_TOKEN: 'token',
    TWILIO_FROM: '+15005550006',
    TWILIO_BASE_URL: baseUrl
  })
  assert.equal((await checkTwilio(config)).state, 'ok')
  reply = [200, { status: 'suspended' }]
  assert.equal((await checkTwilio(config)).found, 'the account is suspended')
  reply = [401, { code: 20003, message: 'Authenticate', status: 401 }]
  assert.equal((await checkTwilio(config)).found, 'rejects the credentials')
  assert.equal((await checkTwilio(production())).state, 'ok')
})

test('the connection to Redis and its script support are checked, and a missing Redis is reported', async () => {
  assert.deepEqual([(await checkRedis(undefined, 1)).state, (await checkRedis(undefined, 2)).state], ['ok', 'warn'])
  const gone = await checkRedis('redis://127.0.0.1:1', 2)
  assert.equal(gone.state, 'fail')
  assert.match(gone.found, /ECONNREFUSED/)
  const url = process.env.TEST_REDIS_URL
  if (url !== undefined && url !== '') assert.match((await checkRedis(url, 2)).found, /^version \d/)
})

test('in production a remote database without TLS is reported', async () => {
  assert.deepEqual(
    checkEncryption('postgres://atlas:x@db.example.com/atlas', 'production').map(({ state }) => state),
    ['warn']
  )
  for (const url of [
    'postgres://a@db.example.com/atlas?sslmode=require',
    'postgres://a@127.0.0.1/atlas',
    'postgres://a@%2Frun%2Fpostgresql/atlas'
  ])
    assert.deepEqual(checkEncryption(url, 'production'), [])
})

test('the embedded database is ok for one instance, even while a server uses it, and not for two', async (t) => {
  const config = loadConfig({ ATLAS_DATA_DIR: temporaryDir(t) })
  assert.deepEqual(statesOf(await checkDatabase(config, 1), 'database'), ['ok'])
  assert.deepEqual(statesOf(await checkDatabase(config, 2), 'database'), ['fail'])
})

test('PostgreSQL is checked: connection, version, schema, privileges, clock and connection limit', async (t) => {
  const postgres = process.env.TEST_DATABASE_URL
  if (postgres === undefined || postgres === '') return t.plan(0, 'requires PostgreSQL')
  const { url, drop } = await createPostgresDatabase(postgres)
  t.teardown(drop)
  const examine = async (databaseUrl: string, instances = 1) =>
    await checkDatabase(production({ DATABASE_URL: databaseUrl }), instances)
  const healthy = await examine(url)
  assert.deepEqual(
    healthy.map(({ subject, state }) => `${subject} ${state}`),
    ['database ok', 'schema ok', 'privileges ok', 'clocks ok', 'connections ok']
  )
  assert.deepEqual(statesOf(await examine(url, 1000), 'connections'), ['fail'])

  const [gone] = await examine('postgres://atlas@127.0.0.1:1/atlas')
  assert.deepEqual([gone?.state, /ECONNREFUSED/.test(gone?.found ?? '')], ['fail', true])
  const [missing] = await examine(url.replace(/\/[^/]*$/, '/there_is_no_such_database'))
  assert.match(missing?.cure ?? '', /createdb/)

  const owner = new pg.Client({ connectionString: url })
  await owner.connect()
  const role = `doctor_${Date.now()}`
  await owner.query(`create role ${role} login`)
  const asRole = new URL(url)
  asRole.username = role
  try {
    await owner.query(`grant usage on schema public to ${role}; grant select on all tables in schema public to ${role}`)
    assert.match(
      (await examine(asRole.href)).find(({ subject }) => subject === 'privileges')?.found ?? '',
      /^the user cannot read and write \w+ and \d+ more$/
    )
    await owner.query(`alter role ${role} set default_transaction_read_only = on`)
    assert.ok((await examine(asRole.href)).some(({ found }) => found === 'is read-only'))
    await owner.query(`delete from migrations where name = (select max(name) from migrations)`)
    const unmigrated = (await examine(asRole.href)).find(({ subject }) => subject === 'schema')
    assert.deepEqual(
      [unmigrated?.state, unmigrated?.found],
      ['fail', 'migrations have not run, and this user lacks the privilege to run them']
    )
    assert.match((await examine(url)).find(({ subject }) => subject === 'schema')?.cure ?? '', /npm run migrate/)
    await owner.query(`insert into migrations (name) values ('0002-plaid-simulator')`)
    assert.match((await examine(url)).find(({ subject }) => subject === 'schema')?.cure ?? '', /a new database/)
  } finally {
    await owner.query(`drop owned by ${role}; drop role ${role}`)
    await owner.end()
  }
})
