import assert from 'node:assert/strict'
import { Products } from 'plaid'
import { test } from 'tap'
import { buildSimulator, clientOf, credentials, days, hours, link, refusal, unitedStates } from './build-simulator.ts'

test("the accounts of user_good match Plaid's sandbox, and their balances do not change", async (t) => {
  const { plaid, clock } = await buildSimulator(t)
  const { accessToken } = await link(plaid)
  const balances = async () => {
    const { data } = await plaid.accountsBalanceGet({ access_token: accessToken })
    return data.accounts.map((account) => [
      account.name,
      account.mask,
      account.balances.available,
      account.balances.current,
      account.balances.limit
    ])
  }
  const expected = [
    ['Plaid Checking', '0000', 100, 110, null],
    ['Plaid Saving', '1111', 200, 210, null],
    ['Plaid CD', '2222', null, 1000, null],
    ['Plaid Credit Card', '3333', null, 410, 2000],
    ['Plaid Money Market', '4444', 43200, 43200, null],
    ['Plaid IRA', '5555', null, 320.76, null],
    ['Plaid 401k', '6666', null, 23631.9805, null],
    ['Plaid Student Loan', '7777', null, 65262, null],
    ['Plaid Mortgage', '8888', null, 56302.06, null]
  ]
  assert.deepEqual(await balances(), expected)
  clock.advance(days(40))
  assert.deepEqual(await balances(), expected)
})

test('a public token returns the same item for half an hour, and is rejected afterwards', async (t) => {
  const { plaid, clock } = await buildSimulator(t)
  const { publicToken, accessToken, itemId } = await link(plaid)
  clock.advance(hours(0.49))
  const again = (await plaid.itemPublicTokenExchange({ public_token: publicToken })).data
  assert.deepEqual([again.access_token, again.item_id], [accessToken, itemId])
  assert.match(accessToken, /^access-sandbox-[0-9a-f-]{36}$/)
  assert.match(itemId, /^[A-Za-z0-9]{37}$/)
  clock.advance(hours(0.02))
  const expired = await refusal(plaid.itemPublicTokenExchange({ public_token: publicToken }))
  assert.deepEqual(
    [expired.status, expired.error_type, expired.error_code],
    [400, 'INVALID_INPUT', 'INVALID_PUBLIC_TOKEN']
  )
  const unknown = await refusal(
    plaid.itemPublicTokenExchange({ public_token: 'public-sandbox-00000000-0000-0000-0000-000000000000' })
  )
  assert.equal(unknown.error_code, 'INVALID_PUBLIC_TOKEN')
})

test("invalid, missing and unknown input is rejected with Plaid's codes", async (t) => {
  const { plaid, baseUrl } = await buildSimulator(t)
  const wrong = await refusal(clientOf(baseUrl, { ...credentials, secret: 'wrong' }).itemGet({ access_token: 'x' }))
  assert.deepEqual([wrong.status, wrong.error_type, wrong.error_code], [400, 'INVALID_INPUT', 'INVALID_API_KEYS'])
  const token = await refusal(plaid.itemGet({ access_token: 'access-sandbox-none' }))
  assert.equal(token.error_code, 'INVALID_ACCESS_TOKEN')
  assert.match(token.request_id, /^[A-Za-z0-9]{15}$/)
  const post = async (path: string, body: string) => {
    const response = await fetch(baseUrl + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body
    })
    return [response.status, ((await response.json()) as { error_code: string }).error_code]
  }
  const keys = { client_id: credentials.clientId, secret: credentials.secret }
  assert.deepEqual(await post('/item/get', JSON.stringify(keys)), [400, 'MISSING_FIELDS'])
  assert.deepEqual(await post('/item/get', '{}'), [400, 'MISSING_FIELDS'])
  assert.deepEqual(await post('/item/get', JSON.stringify({ ...keys, access_token: 'x', colour: 'red' })), [
    400,
    'UNKNOWN_FIELDS'
  ])
  assert.deepEqual(await post('/transactions/sync', JSON.stringify({ ...keys, access_token: 'x', count: 501 })), [
    400,
    'INVALID_FIELD'
  ])
  assert.deepEqual(await post('/item/get', '{'), [400, 'INVALID_BODY'])
  assert.deepEqual(await post('/item/get', '[]'), [400, 'INVALID_BODY'])
  assert.deepEqual(await post('/no/such', JSON.stringify(keys)), [404, 'NOT_FOUND'])
})

test('an item with a reset login rejects reads until the user completes update mode', async (t) => {
  const { plaid, baseUrl } = await buildSimulator(t)
  const { accessToken } = await link(plaid)
  await plaid.sandboxItemResetLogin({ access_token: accessToken })
  for (const call of [
    () => plaid.accountsGet({ access_token: accessToken }),
    () => plaid.accountsBalanceGet({ access_token: accessToken }),
    () => plaid.transactionsSync({ access_token: accessToken })
  ]) {
    const { status, error_type, error_code } = await refusal(call())
    assert.deepEqual([status, error_type, error_code], [400, 'ITEM_ERROR', 'ITEM_LOGIN_REQUIRED'])
  }
  assert.equal((await plaid.itemGet({ access_token: accessToken })).data.item.error?.error_code, 'ITEM_LOGIN_REQUIRED')
  const {
    data: { link_token }
  } = await plaid.linkTokenCreate({
    client_name: 'Test',
    language: 'en',
    country_codes: unitedStates,
    user: { client_user_id: 'u1' },
    access_token: accessToken
  })
  const completed = await fetch(`${baseUrl}/simulator/link/complete`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ client_id: credentials.clientId, secret: credentials.secret, link_token })
  })
  assert.equal(completed.status, 200)
  assert.equal((await plaid.itemGet({ access_token: accessToken })).data.item.error, null)
  assert.equal((await plaid.accountsGet({ access_token: accessToken })).data.accounts.length, 9)
})

test("completing an ordinary link token links an item with the token's webhook and products", async (t) => {
  const { plaid, baseUrl } = await buildSimulator(t)
  const {
    data: { link_token }
  } = await plaid.linkTokenCreate({
    client_name: 'Test',
    language: 'en',
    country_codes: unitedStates,
    user: { client_user_id: 'u1' },
    products: [Products.Transactions],
    webhook: 'http://127.0.0.1:9/hook'
  })
  assert.match(link_token, /^link-sandbox-[0-9a-f-]{36}$/)
  const response = await fetch(`${baseUrl}/simulator/link/complete`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_id: credentials.clientId,
      secret: credentials.secret,
      link_token,
      institution_id: 'ins_109512'
    })
  })
  const { public_token } = (await response.json()) as { public_token: string }
  const {
    data: { access_token }
  } = await plaid.itemPublicTokenExchange({ public_token })
  const {
    data: { item }
  } = await plaid.itemGet({ access_token })
  assert.deepEqual(
    [item.institution_name, item.webhook, item.products],
    ['Houndstooth Bank', 'http://127.0.0.1:9/hook', ['transactions']]
  )
})

test('a removed item can no longer be reached', async (t) => {
  const { plaid } = await buildSimulator(t)
  const { accessToken, publicToken } = await link(plaid)
  await plaid.itemRemove({ access_token: accessToken })
  assert.equal((await refusal(plaid.accountsGet({ access_token: accessToken }))).error_code, 'ITEM_NOT_FOUND')
  assert.equal(
    (await refusal(plaid.itemPublicTokenExchange({ public_token: publicToken }))).error_code,
    'INVALID_PUBLIC_TOKEN'
  )
})
