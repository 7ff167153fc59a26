import assert from 'node:assert/strict'
import pg from 'pg'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { readDevelopmentKeys } from '../../../plugins/config/development-keys.ts'
import {
  call,
  login,
  mintKey,
  mintToken,
  password,
  refresh,
  refreshOf,
  register
} from '../../modules/identity/client.ts'
import { ownSettings, startServerProcess } from '../../machines/server-process.ts'

const encryptionKey = Buffer.alloc(32, 'key of a test').toString('base64')
const databasePassword = 'database-password-of-a-test'
const settings = {
  LOG_LEVEL: 'trace',
  ATLAS_ENCRYPTION_KEY: encryptionKey,
  ATLAS_JWT_SECRET: 'jwt-secret-of-a-test-that-is-long-enough',
  ATLAS_INGEST_SECRET: 'ingest-secret-of-a-test',
  ATLAS_SANDBOX_AUTOSETTLE: 'true',
  TWILIO_ACCOUNT_SID: `AC${'0'.repeat(32)}`,
  TWILIO_AUTH_TOKEN: 'twilio-token-of-a-test',
  TWILIO_FROM: '+15005550006',
  TWILIO_BASE_URL: 'http://127.0.0.1:1'
}
const account = {
  name: 'Corner Coffee LLC',
  routing_number: '021000021',
  account_number: '000123456789',
  account_type: 'checking'
}
const wrongPassword = 'a password that is not hers'

/** The lines of the log, without the greeting that the start prints for the console. */
const logOf = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.startsWith('{"level":'))
    .join('\n')

/** Breaks every connection of the server to its database, so that the log of such failures is covered too. */
const cutConnections = async (databaseUrl: string): Promise<void> => {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()'
  )
  await client.end()
}

/** Uses every kind of credential, in every valid and invalid way. Returns everything that must not appear in a log. */
const walk = async (url: string): Promise<Record<string, string>> => {
  const owner = await register(url, 'ada@example.com')
  const again = await login(url, 'ada@example.com')
  const rotated = await refresh(url, again.refresh)
  await refresh(url, again.refresh)
  await call(url, '/api/v1/auth/login', { method: 'POST', body: { email: 'ada@example.com', password: wrongPassword } })
  await call(url, `/api/v1/auth/login?password=${encodeURIComponent(wrongPassword)}`, {
    method: 'POST',
    body: `{"password": "${wrongPassword}"`
  })

  const { key } = await mintKey(url, owner.jwt)
  const { key: liveKey } = await mintKey(url, owner.jwt, 'live')
  const { token } = await mintToken(url, owner.jwt)
  const ways: Record<string, string>[] = [
    { authorization: `Bearer ${key}` },
    { 'x-api-key': key },
    { authorization: `Bearer ${liveKey}` },
    { authorization: `Bearer ${token}` },
    { authorization: `Basic ${token}` }
  ]
  for (const headers of ways) {
    await call(url, '/v1/events', { headers })
    await call(url, `/v1/events?key=${key}`, { headers })
    await call(url, '/v1/nowhere', { headers })
  }

  const agent = await call(url, '/api/register', { method: 'POST', bearer: owner.jwt, body: { agent_id: 'of-a-test' } })
  const agentKey = String(agent.body.api_key)
  await call(url, '/api/v1/users/me/phone', { method: 'POST', bearer: owner.jwt, body: { phone: '+14155550123' } })
  await call(url, '/api/spend', {
    method: 'POST',
    bearer: agentKey,
    body: { amount: 1, require_approval: true, item_name: 'A lamp' }
  })
  await call(url, '/api/checkout', { method: 'POST', bearer: owner.jwt, body: { agent_id: 'of-a-test', amount: 10 } })

  const publicToken = String(
    (await call(url, '/v1/sandbox/public_token', { method: 'POST', bearer: key, body: {} })).body.public_token
  )
  const linking = { method: 'POST', bearer: key, body: { public_token: publicToken, user_id: 'usr_1' } }
  const linked = await call(url, '/v1/accounts/link', linking)
  assert.equal(linked.status, 200, linked.text)
  await call(url, '/v1/accounts/link', { ...linking, body: { public_token: `${publicToken}-wrong`, user_id: 'usr_1' } })
  await call(url, '/v1/accounts?user_id=usr_1', { bearer: key })
  const recipient = await call(url, '/v1/recipients', { method: 'POST', bearer: key, body: account })
  assert.equal(recipient.status, 201, recipient.text)
  await call(url, '/v1/recipients', { method: 'POST', bearer: key, body: { ...account, routing_number: '1' } })
  const [from] = linked.body.accounts as { account_id: string }[]
  await call(url, '/v1/transfers', {
    method: 'POST',
    bearer: key,
    body: { from_account_id: from?.account_id, to_account_id: recipient.body.id, amount: 1 },
    headers: { 'idempotency-key': 'transfer-1' }
  })

  const hook = await call(url, '/v1/webhooks', {
    method: 'POST',
    bearer: key,
    body: { url: 'http://127.0.0.1:1/path-that-is-a-secret', events: ['*'] }
  })
  await call(url, `/v1/webhooks/${String(hook.body.id)}/test`, { method: 'POST', bearer: key })
  await call(url, '/v1/plaid/webhook', {
    method: 'POST',
    headers: { 'plaid-verification': 'signature-of-no-sender' },
    body: {}
  })
  await call(url, '/v1/stripe/webhook', {
    method: 'POST',
    headers: { 'stripe-signature': 't=1,v1=signature-of-no-sender' },
    body: {}
  })
  for (const secret of [settings.ATLAS_INGEST_SECRET, 'not-the-ingest-secret']) {
    await call(url, '/api/ingest/ping', { headers: { 'x-atlas-ingest-secret': secret } })
    await call(url, '/api/ingest/ping', { bearer: secret })
  }
  return {
    'access token': owner.jwt,
    'second access token': again.jwt,
    'refresh cookie': owner.refresh,
    'used refresh cookie': again.refresh,
    'rotated refresh cookie': refreshOf(rotated),
    'partner key': key,
    'live key': liveKey,
    'personal access token': token,
    'agent key': agentKey,
    'public token': publicToken,
    'webhook secret': String(hook.body.secret),
    "webhook's path": 'path-that-is-a-secret',
    signature: 'signature-of-no-sender',
    'wrong ingest secret': 'not-the-ingest-secret'
  }
}

test(
  'the log at its most verbose contains no credential, whether valid or invalid',
  { timeout: 180_000 },
  async (t) => {
    const own = await ownSettings(t)
    const databaseUrl = own.DATABASE_URL?.replace(/\/\/([^@:]+)@/, `//$1:${databasePassword}@`)
    const server = await startServerProcess(t, {
      ...own,
      ...settings,
      ...(databaseUrl === undefined ? {} : { DATABASE_URL: databaseUrl })
    })
    const returned = await walk(server.url)
    assert.match(server.output(), /sending a text failed/)
    if (databaseUrl !== undefined) {
      await cutConnections(databaseUrl)
      while (!/database connection failed/.test(server.output())) await new Promise((done) => setTimeout(done, 100))
    }
    assert.equal(await server.drain(), 0, server.output().split('\n').slice(-6).join('\n'))

    const log = logOf(server.output())
    assert.ok(log.split('\n').length > 60, 'the log is not empty')
    assert.match(log, /"path":"\/v1\/accounts\/link"/)
    const { plaidSecret, stripeSecret, stripeWebhookSecret } = readDevelopmentKeys(own.ATLAS_DATA_DIR ?? '')
    const {
      LOG_LEVEL: _level,
      ATLAS_SANDBOX_AUTOSETTLE: _autosettle,
      TWILIO_BASE_URL: _url,
      TWILIO_FROM: _from,
      TWILIO_ACCOUNT_SID: _sid,
      ...configured
    } = settings
    const secrets = {
      ...returned,
      ...configured,
      plaidSecret,
      stripeSecret,
      stripeWebhookSecret,
      password,
      wrongPassword,
      databasePassword,
      'account number': account.account_number,
      phone: '4155550123'
    }
    for (const [name, secret] of Object.entries(secrets)) {
      assert.ok(secret.length >= 8, `the walk returned the ${name}`)
      assert.ok(!log.includes(secret), `the log contains the ${name}`)
    }
    assert.doesNotMatch(log, /access-sandbox-|eyJhbGci|Bearer |atlas_refresh/)
  }
)

test('a repeated failure does not flood the log, and other failures are still logged', async (t) => {
  const lines: { msg: string }[] = []
  const { app } = await startApp(t, {
    env: { LOG_LEVEL: 'info' },
    logStream: { write: (line) => void lines.push(JSON.parse(line) as { msg: string }) }
  })
  for (let time = 0; time < 5_000; time++) {
    app.log.error({ time }, 'the same failure')
    app.log.child({ reqId: time }).error('another failure')
    app.log.info('an event')
  }
  const count = (text: string): number => lines.filter(({ msg }) => msg === text).length
  assert.deepEqual([count('the same failure'), count('another failure'), count('an event')], [20, 20, 5_000])
})
