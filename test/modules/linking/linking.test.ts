import assert from 'node:assert/strict'
import { test } from 'tap'
import { createPartner } from '../../credentials.ts'
import { simulatorOf, startWorld } from './world.ts'

test('a Link token can be created for a new link and to repair an existing one', async (t) => {
  const world = await startWorld(t)
  const made = await world.post('/v1/link/token/create', { user_id: 'usr_1' })
  assert.equal(made.status, 200, made.text)
  assert.match(made.body.link_token, /^link-sandbox-/)
  assert.deepEqual(Object.keys(made.body), ['link_token', 'expiration', 'request_id'])
  const { itemId } = await world.link('usr_1')
  assert.equal((await world.post('/v1/link/token/create', { user_id: 'usr_1', item_id: itemId })).status, 200)
  const stranger = await createPartner(world.database)
  assert.equal(
    (await world.post('/v1/link/token/create', { user_id: 'usr_1', item_id: itemId }, stranger.testKey)).status,
    404
  )
})

test('Link asks for what the partner’s products need, and update mode adds accounts', async (t) => {
  const world = await startWorld(t)
  const requestOf = async (body: object) => {
    const { link_token } = (await world.post('/v1/link/token/create', { user_id: 'usr_1', ...body })).body
    const row = await world.database.db
      .selectFrom('simulators.plaid_link_tokens')
      .selectAll()
      .where('link_token', '=', link_token)
      .executeTakeFirstOrThrow()
    return [row.request.products, row.request.account_selection, row.update_item_id !== null]
  }
  assert.deepEqual(await requestOf({}), [['transactions', 'auth'], false, false])
  assert.deepEqual(await requestOf({ products: ['liabilities'] }), [['liabilities'], false, false])
  const { itemId } = await world.link('usr_1')
  assert.deepEqual(await requestOf({ item_id: itemId }), [[], true, true])
})

test('text that Plaid cannot accept gets 400, and does not count as an outage of Plaid', async (t) => {
  const world = await startWorld(t)
  const refused = [
    await world.post('/v1/link/token/create', { user_id: 'usr_1', products: ['a\u0000b'] }),
    await world.post('/v1/link/token/create', { user_id: 'usr_1', products: ['\ud800'] }),
    await world.post('/v1/link/token/create', { user_id: 'usr_1', redirect_uri: 'a\u0000b' }),
    await world.post('/v1/accounts/link', { public_token: 'a\u0000b', user_id: 'usr_1' })
  ]
  assert.deepEqual(
    refused.map(({ status, body }) => [status, body.errors[0].path]),
    [
      [400, 'body/products/0'],
      [400, 'body/products/0'],
      [400, 'body/redirect_uri'],
      [400, 'body/public_token']
    ]
  )
})

test('linking returns the item with its accounts, counts one account_link and emits account.linked', async (t) => {
  const world = await startWorld(t)
  const { public_token } = (await world.post('/v1/sandbox/public_token')).body
  const linked = await world.post('/v1/accounts/link', {
    public_token,
    user_id: 'usr_1',
    institution: { institution_id: 'ins_109508', name: 'Sandbox Bank' }
  })
  assert.equal(linked.status, 200, linked.text)
  assert.match(linked.body.item_id, /^item_/)
  assert.deepEqual(linked.body.institution, { institution_id: 'ins_109508', name: 'Sandbox Bank' })
  const { account_id, ...checking } = linked.body.accounts[0]
  assert.match(account_id, /^acc_/)
  assert.deepEqual(checking, {
    name: 'Plaid Checking',
    mask: '0000',
    type: 'depository',
    subtype: 'checking',
    current_balance: 110,
    available_balance: 100,
    iso_currency_code: 'USD'
  })
  const usage = await world.database.db
    .selectFrom('usage_events')
    .selectAll()
    .where('event_type', '=', 'account_link')
    .execute()
  assert.deepEqual(
    usage.map(({ partner_id, user_id, institution }) => [partner_id, user_id, institution]),
    [[world.partner.partnerId, 'usr_1', 'Sandbox Bank']]
  )
  const events = await world.database.db.selectFrom('events').selectAll().where('type', '=', 'account.linked').execute()
  assert.deepEqual(
    events.map(({ data }) => data.item_id),
    [linked.body.item_id]
  )
})

test('50 concurrent links of one public token create one item, and later ones return it without Plaid', async (t) => {
  const world = await startWorld(t)
  const { public_token } = (await world.post('/v1/sandbox/public_token')).body
  const responses = await Promise.all(
    Array.from({ length: 50 }, () => world.post('/v1/accounts/link', { public_token, user_id: 'usr_1' }))
  )
  assert.deepEqual([...new Set(responses.map(({ status }) => status))], [200])
  assert.equal(new Set(responses.map(({ text }) => text)).size, 1)
  await world.settle()
  simulatorOf(world).faults.next('/item/public_token/exchange', 'INTERNAL_SERVER_ERROR', 10)
  world.clock.advance(3_600_000)
  assert.equal((await world.post('/v1/accounts/link', { public_token, user_id: 'usr_1' })).text, responses[0]?.text)
  assert.equal((await world.database.db.selectFrom('items').selectAll().execute()).length, 1)
  assert.equal(
    (await world.database.db.selectFrom('usage_events').selectAll().where('event_type', '=', 'account_link').execute())
      .length,
    1
  )
})

test('linking an item again with another public token creates no second item', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  const { link_token } = (await world.post('/v1/link/token/create', { user_id: 'usr_1', item_id: itemId })).body
  assert.match(link_token, /^link-/)
  const { db } = world.database
  const { plaid_item_id } = await db.selectFrom('items').select('plaid_item_id').executeTakeFirstOrThrow()
  const now = world.clock.now()
  const expires_at = new Date(now.getTime() + 60_000)
  await db
    .insertInto('simulators.plaid_public_tokens')
    .values({ public_token: 'public-sandbox-again', item_id: plaid_item_id, created_at: now, expires_at })
    .execute()
  const again = await world.post('/v1/accounts/link', { public_token: 'public-sandbox-again', user_id: 'usr_1' })
  assert.equal(again.body.item_id, itemId)
  assert.equal((await world.get('/v1/accounts?user_id=usr_1')).body.accounts.length, again.body.accounts.length)
  assert.equal(
    (await world.post('/v1/accounts/link', { public_token: 'public-sandbox-again', user_id: 'usr_2' })).status,
    409
  )
  const stranger = await createPartner(world.database)
  assert.equal(
    (
      await world.post(
        '/v1/accounts/link',
        { public_token: 'public-sandbox-again', user_id: 'usr_1' },
        stranger.testKey
      )
    ).status,
    400
  )
})

test("a public token that Plaid rejects gets 400 with Plaid's own code and request id", async (t) => {
  const world = await startWorld(t)
  const refused = await world.post('/v1/accounts/link', { public_token: 'public-sandbox-nonsense', user_id: 'usr_1' })
  assert.equal(refused.status, 400)
  assert.equal(refused.body.error, 'invalid_public_token')
  assert.equal(refused.body.error_code, 'INVALID_PUBLIC_TOKEN')
  assert.match(refused.body.request_id, /\S/)
})

test('an outage of Plaid gives 502 after retries, and a temporary fault does not affect the client', async (t) => {
  const world = await startWorld(t)
  const { faults } = simulatorOf(world)
  const { public_token } = (await world.post('/v1/sandbox/public_token')).body
  const link = () =>
    world.post('/v1/accounts/link', { public_token, user_id: 'usr_1' }, undefined, { 'idempotency-key': 'one-link' })
  faults.next('/item/public_token/exchange', 'INTERNAL_SERVER_ERROR', 3)
  const down = await link()
  assert.deepEqual([down.status, down.body.error], [502, 'upstream_unavailable'])
  // Plaid completes the exchange but its response is lost, and then Plaid is busy.
  faults.next('/item/public_token/exchange', 'drop_after')
  faults.next('/item/public_token/exchange', 'RATE_LIMIT_EXCEEDED')
  assert.equal((await link()).status, 200)
  assert.equal((await link()).headers.get('idempotent-replayed'), 'true')
})

test('accounts have current balances, or the last known ones marked as stale', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  world.clock.advance(60_000)
  const fresh = await world.get('/v1/accounts?user_id=usr_1')
  assert.equal(fresh.status, 200, fresh.text)
  const linkedAt = '2026-06-14T18:01:00.000Z'
  assert.deepEqual(
    [...new Set(fresh.body.accounts.map((a: { as_of: string; stale: boolean }) => `${a.as_of} ${a.stale}`))],
    [`${linkedAt} false`]
  )
  world.clock.advance(60_000)
  simulatorOf(world).faults.next('/accounts/balance/get', 'INTERNAL_SERVER_ERROR', 2)
  const down = await world.get('/v1/accounts?user_id=usr_1')
  assert.deepEqual(
    [...new Set(down.body.accounts.map((a: { as_of: string; stale: boolean }) => `${a.as_of} ${a.stale}`))],
    [`${linkedAt} true`]
  )
  assert.equal((await world.post(`/v1/sandbox/items/${itemId}/reset_login`)).status, 200)
  const broken = await world.get('/v1/accounts?user_id=usr_1')
  assert.equal(broken.status, 200)
  assert.equal(broken.body.accounts[0].stale, true)
  assert.deepEqual((await world.get('/v1/accounts?user_id=unknown')).body, { accounts: [] })
})

test('a broken login marks the item once, and the mark clears once the login is repaired', async (t) => {
  const world = await startWorld(t)
  const { itemId } = await world.link('usr_1')
  await world.settle()
  await world.post(`/v1/sandbox/items/${itemId}/reset_login`)
  await world.settle()
  const [item] = (await world.get('/v1/items?user_id=usr_1')).body.items
  assert.deepEqual([item.status, item.error_code], ['login_required', 'ITEM_LOGIN_REQUIRED'])
  const feed = await world.get('/v1/transactions?user_id=usr_1&limit=500&cursor=')
  assert.equal(feed.status, 200)
  const events = await world.database.db
    .selectFrom('events')
    .selectAll()
    .where('type', '=', 'item.login_required')
    .execute()
  assert.deepEqual(
    events.map(({ data }) => [data.item_id, data.status]),
    [[itemId, 'login_required']]
  )
  const { plaid_item_id } = await world.database.db
    .selectFrom('items')
    .select('plaid_item_id')
    .executeTakeFirstOrThrow()
  await simulatorOf(world).repairLogin(plaid_item_id)
  for (let page = (await world.get('/v1/transactions?user_id=usr_1&limit=500')).body; page.has_more;) {
    page = (await world.get('/v1/transactions?user_id=usr_1&limit=500')).body
  }
  assert.equal((await world.get('/v1/items?user_id=usr_1')).body.items[0].status, 'ok')
})

test('items are listed newest first, page by page, and deleted together with their accounts', async (t) => {
  const world = await startWorld(t)
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.unshift((await world.link('usr_1')).itemId)
  await world.settle()
  const first = await world.get('/v1/items?user_id=usr_1&limit=2')
  assert.deepEqual([first.body.items.length, first.body.has_more], [2, true])
  const rest = await world.get(`/v1/items?user_id=usr_1&limit=2&cursor=${first.body.next_cursor}`)
  assert.deepEqual([rest.body.next_cursor, rest.body.has_more], [null, false])
  const listed: string[] = [...first.body.items, ...rest.body.items].map((item: { item_id: string }) => item.item_id)
  assert.deepEqual([...listed].sort(), [...ids].sort())
  const remove = (id: string | undefined, key = world.partner.testKey) =>
    fetch(`${world.url}/v1/items/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${key}` } })
  const stranger = await createPartner(world.database)
  assert.equal((await remove(ids[0], stranger.testKey)).status, 404)
  simulatorOf(world).faults.next('/item/remove', 'drop_after')
  assert.equal((await remove(ids[0])).status, 204, 'after a lost response Plaid reports an unknown item')
  assert.equal((await remove(ids[0])).status, 404)
  assert.equal((await world.get('/v1/items?user_id=usr_1')).body.items.length, 2)
  assert.equal(
    (
      await world.database.db
        .selectFrom('accounts')
        .select('id')
        .where('item_id', '=', ids[0] ?? '')
        .execute()
    ).length,
    0
  )
})

test('operations require their scopes, and sandbox operations reject live credentials', async (t) => {
  const world = await startWorld(t)
  const reader = await world.partner.token(['accounts:read'])
  assert.equal((await world.get('/v1/accounts?user_id=usr_1', reader)).status, 200)
  assert.equal((await world.get('/v1/transactions?user_id=usr_1', reader)).body.missingScope, 'transactions:read')
  assert.equal(
    (await world.post('/v1/accounts/link', { public_token: 'x', user_id: 'y' }, reader)).body.missingScope,
    'accounts:write'
  )
  const producer = await createPartner(world.database, { production: true })
  assert.equal((await world.post('/v1/sandbox/public_token', {}, producer.liveKey)).status, 403)
})

test('20 concurrent requests for balances share one call to the bank', async (t) => {
  const world = await startWorld(t)
  await world.link('usr_1')
  // The first call gets a late response. Any other call would fail.
  simulatorOf(world).faults.next('/accounts/balance/get', 'slow', 1, 2_000)
  simulatorOf(world).faults.next('/accounts/balance/get', 'INTERNAL_SERVER_ERROR', 40)
  const responses = await Promise.all(Array.from({ length: 20 }, () => world.get('/v1/accounts?user_id=usr_1')))
  for (const { body } of responses) assert.equal(body.accounts[0].stale, false)
})
