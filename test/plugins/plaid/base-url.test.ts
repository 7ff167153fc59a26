import assert from 'node:assert/strict'
import { test } from 'tap'
import { startApp } from '../../build-app.ts'
import { createPartner, send } from '../../credentials.ts'
import { buildSimulator, credentials } from '../../simulators/plaid/build-simulator.ts'

test('PLAID_BASE_URL replaces the URL of Plaid, both in sandbox and in production', async (t) => {
  const elsewhere = await buildSimulator(t)
  const keys = {
    PLAID_CLIENT_ID: credentials.clientId,
    PLAID_SECRET: credentials.secret,
    PLAID_BASE_URL: elsewhere.baseUrl
  }

  const sandbox = await startApp(t, { env: keys })
  const { testKey } = await createPartner(sandbox.database)
  assert.equal(sandbox.app.simulators.plaid, undefined)
  const made = await send(sandbox.url, 'POST', '/v1/sandbox/public_token', { key: testKey, body: {} })
  const linked = await send(sandbox.url, 'POST', '/v1/accounts/link', {
    key: testKey,
    body: { public_token: made.body.public_token, user_id: 'usr_1' }
  })
  assert.equal(linked.status, 200, linked.text)
  const items = await elsewhere.db.selectFrom('simulators.plaid_items').select('exchanged_at').execute()
  assert.deepEqual(
    items.map(({ exchanged_at }) => exchanged_at !== null),
    [true]
  )

  const production = await startApp(t, { env: { ...keys, PLAID_ENV: 'production' } })
  const { access_token } = (
    await elsewhere.plaid.itemPublicTokenExchange({ public_token: made.body.public_token as string })
  ).data
  const readAccounts = (environment: 'test' | 'live') =>
    production.app.plaid.in(environment).call((api) => api.accountsGet({ access_token }), { repeatable: true })
  assert.equal((await readAccounts('live')).item.institution_id, 'ins_109508')
  await assert.rejects(readAccounts('test'), { errorCode: 'INVALID_ACCESS_TOKEN' })
})
