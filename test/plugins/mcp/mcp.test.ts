import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { t, test } from 'tap'
import { hashSecret } from '../../../plugins/access/secrets.ts'
import { createPartner, send } from '../../credentials.ts'
import { openWorld } from '../../modules/agents/world.ts'
import { call, connect } from './client.ts'

const world = await openWorld(t)
const { url, database } = world
const partner = await createPartner(database)
const ping = { jsonrpc: '2.0', id: 1, method: 'ping' }
const accept = { accept: 'application/json, text/event-stream' }

const toolCall = (name: string, given: object, id = 1) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name, arguments: given }
})

/** Sends a request with headers that fetch does not allow, such as Host. */
const sendRaw = async (headers: Record<string, string>): Promise<{ status: number; body: string }> =>
  await new Promise((done, failed) => {
    const { hostname, port } = new URL(url)
    const sent = httpRequest(
      {
        hostname,
        port,
        path: '/mcp',
        method: 'POST',
        headers: {
          authorization: `Bearer ${partner.testKey}`,
          'content-type': 'application/json',
          ...accept,
          ...headers
        }
      },
      (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('end', () => done({ status: response.statusCode ?? 0, body }))
      }
    )
    sent.on('error', failed)
    sent.end(JSON.stringify(ping))
  })

test('a missing or unknown credential gets 401 with a bearer challenge', async () => {
  for (const key of [undefined, 'afg_test_unknown', 'unknown']) {
    const { status, headers, body } = await send(url, 'POST', '/mcp', {
      ...(key === undefined ? {} : { key }),
      body: ping,
      headers: accept
    })
    assert.equal(status, 401)
    assert.match(headers.get('www-authenticate') ?? '', /^Bearer/)
    assert.equal(headers.get('content-type'), 'application/problem+json')
    assert.equal(body.requestId, headers.get('x-request-id'))
    assert.ok(headers.get('x-ratelimit-limit'))
  }
})

test('a revoked key is rejected from the next message on', async (t) => {
  const { testKey } = await createPartner(database)
  const client = await connect(t, url, testKey)
  assert.equal((await call(client, 'list_transfers')).failed, false)
  await database.db
    .updateTable('credentials')
    .set({ revoked_at: world.clock.now() })
    .where('hash', '=', hashSecret(testKey))
    .execute()
  await assert.rejects(client.callTool({ name: 'list_transfers', arguments: {} }), /401|unauthorized/i)
})

test('callers see the tools for their kind and scopes, and the operations reject other calls', async (t) => {
  const namesFor = async (key: string) => (await (await connect(t, url, key)).listTools()).tools.map(({ name }) => name)
  const ofPartner = await namesFor(partner.testKey)
  assert.ok(
    ofPartner.includes('create_transfer') && !ofPartner.includes('spend_credits') && !ofPartner.includes('list_agents')
  )
  const ofAgent = await namesFor(await world.fund(`agent-${randomUUID()}`, 0))
  assert.ok(
    ofAgent.includes('spend_credits') && ofAgent.includes('request_loan') && !ofAgent.includes('create_transfer')
  )
  assert.ok((await namesFor(await world.owner.token())).includes('list_approvals'))
  const token = await partner.token(['transfers:read'])
  const ofToken = await namesFor(token)
  assert.ok(
    ofToken.includes('list_transfers') && !ofToken.includes('create_transfer') && !ofToken.includes('list_accounts')
  )
  const { failed, body } = await call(await connect(t, url, token), 'list_accounts', { user_id: 'usr_1' })
  assert.equal(failed, true)
  assert.deepEqual([body.status, body.error, body.missingScope], [403, 'insufficient_scope', 'accounts:read'])
  assert.ok(body.cure.length > 0)
})

test('a spend retried with its key is paid once, and the result says that it is a replay', async (t) => {
  const agentId = `agent-${randomUUID()}`
  const client = await connect(t, url, await world.fund(agentId, 100))
  const purchase = { amount: 30, description: 'a book', idempotency_key: randomUUID() }
  const first = await call(client, 'spend_credits', purchase)
  assert.deepEqual([first.body.ok, first.body.balance, first.note], [true, 70, undefined])
  assert.deepEqual(first.result.structuredContent, first.body)
  const { idempotency_key, amount, description } = purchase
  const again = await call(client, 'spend_credits', { description, amount, idempotency_key })
  assert.deepEqual(again.body, first.body)
  assert.match(again.note ?? '', /Nothing was done again/)
  const other = await call(client, 'spend_credits', { ...purchase, amount: 40 })
  assert.match(other.note ?? '', /other arguments/)
  assert.equal(await world.balance(agentId), 70)
  const many = await Promise.all(
    Array.from(
      { length: 8 },
      async () => await call(client, 'spend_credits', { amount: 10, idempotency_key: 'all-at-once' })
    )
  )
  assert.ok(many.some(({ failed }) => !failed))
  assert.equal(await world.balance(agentId), 60)
})

test('a call without its idempotency key, or with an unknown argument, is rejected by name', async (t) => {
  const agentId = `agent-${randomUUID()}`
  const client = await connect(t, url, await world.fund(agentId, 100))
  const { failed, body } = await call(client, 'spend_credits', { amount: 30, idempotencyKey: 'a' })
  assert.equal(failed, true)
  assert.deepEqual(body.errors.map(({ path }: { path: string }) => path).sort(), [
    'arguments/idempotencyKey',
    'arguments/idempotency_key'
  ])
  assert.equal(await world.balance(agentId), 100)
})

test('problems name arguments of the tool, wherever the request has them, and the nearest known name', async (t) => {
  const client = await connect(t, url, partner.testKey)
  const faultsOf = async (name: string, given: Record<string, unknown>) => {
    const { body } = await call(client, name, given)
    assert.doesNotMatch(JSON.stringify(body), /(headers|body|query|params)\/|If-Match|Idempotency-Key/)
    return body.errors.map(({ path, message }: { path: string; message: string }) => `${path} ${message}`)
  }
  assert.deepEqual(await faultsOf('list_tasks', { limit: 1000 }), ['arguments/limit must be between 1 and 500'])
  assert.deepEqual(await faultsOf('list_tasks', { limt: 5 }), [
    'arguments/limt is not an argument of this tool (did you mean limit?)'
  ])
  assert.deepEqual(await faultsOf('update_task', { id: 'tsk 1', priority: 'HIGH' }), [
    'arguments/id must consist of ASCII letters, digits and punctuation, without spaces'
  ])
  assert.deepEqual(await faultsOf('update_task', { id: 'tsk_1', priority: 'high' }), [
    'arguments/priority must be one of LOW, MEDIUM, HIGH or URGENT (did you mean HIGH?)'
  ])
  assert.deepEqual(await faultsOf('update_task', { id: 'tsk_1', priority: 'HIGH', if_match: 'latest' }), [
    'arguments/if_match must be the version of the resource, such as 3'
  ])
  assert.deepEqual(await faultsOf('update_task', { id: 'tsk_1' }), ['arguments must have at least one field'])
  assert.deepEqual(await faultsOf('create_project', { name: 'a', idempotency_key: 'my key' }), [
    'arguments/idempotency_key must be ASCII letters, digits and punctuation without spaces, such as a UUID'
  ])
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, index) => [`unknown${index}`, 1]))
  assert.equal((await faultsOf('list_tasks', many)).length, 20)
})

test('an unknown tool gets the name of the nearest one that the credential can use', async (t) => {
  const client = await connect(t, url, partner.testKey)
  await assert.rejects(call(client, 'list_task'), /There is no tool list_task\. Did you mean list_tasks\?/)
  await assert.rejects(call(client, 'spend_credit'), /There is no tool spend_credit\. tools\/list/)
})

test('an error of the operation is returned as its problem, with every invalid field and a solution', async (t) => {
  const client = await connect(t, url, partner.testKey)
  const { failed, body } = await call(client, 'create_transfer', {
    amount: '25',
    to_account_id: 'acc_2',
    currency: 'USD',
    idempotency_key: randomUUID()
  })
  assert.equal(failed, true)
  assert.deepEqual([body.status, body.error], [400, 'validation_failed'])
  assert.deepEqual(body.errors.map(({ path }: { path: string }) => path).sort(), [
    'arguments/amount',
    'arguments/from_account_id'
  ])
  assert.equal(
    body.detail,
    'The call has 2 invalid arguments: arguments/from_account_id is required; arguments/amount must be a number, not a string (remove the quotation marks).'
  )
  assert.match(body.cure, /errors/)
  const poor = await call(await connect(t, url, await world.fund(`agent-${randomUUID()}`, 1)), 'spend_credits', {
    amount: 5,
    idempotency_key: randomUUID()
  })
  assert.deepEqual([poor.failed, poor.body.error, poor.body.required], [true, 'insufficient_balance', 5])
})

test('resources of other partners return 404, and an identifier cannot lead to another operation', async (t) => {
  const recipient = await send(url, 'POST', '/v1/recipients', {
    key: partner.testKey,
    body: {
      name: 'Corner Coffee LLC',
      routing_number: '021000021',
      account_number: '000123456789',
      account_type: 'checking'
    }
  })
  const other = await connect(t, url, (await createPartner(database)).testKey)
  const { failed, body } = await call(other, 'delete_recipient', { id: recipient.body.id })
  assert.deepEqual([failed, body.status], [true, 404])
  for (const id of ['', '.', '..', 'x\ud800'])
    assert.deepEqual((await call(other, 'get_transfer', { id })).body.errors[0].path, 'arguments/id')
  for (const id of ['../recipients', 'x/../../recipients?', 'a/b', '%2e%2e', '#'])
    assert.equal((await call(other, 'get_transfer', { id })).body.status, 404)
  const own = await call(await connect(t, url, partner.testKey), 'delete_recipient', { id: recipient.body.id })
  assert.deepEqual([own.failed, own.body], [false, 'Done.'])
})

test('a list is read page by page with its cursor, by default in small pages', async (t) => {
  const client = await connect(t, url, partner.testKey)
  const { body: link } = await call(client, 'create_sandbox_public_token', {
    institution_id: 'ins_109508',
    idempotency_key: randomUUID()
  })
  const linked = await call(client, 'link_accounts', {
    public_token: link.public_token,
    user_id: 'usr_pages',
    institution: { institution_id: 'ins_109508', name: 'First Platypus Bank' },
    idempotency_key: randomUUID()
  })
  assert.equal(linked.failed, false, JSON.stringify(linked.body))
  const first = await call(client, 'list_transactions', { user_id: 'usr_pages' })
  assert.deepEqual([first.body.transactions.length, first.body.has_more], [20, true])
  const second = await call(client, 'list_transactions', {
    user_id: 'usr_pages',
    limit: 5,
    cursor: first.body.next_cursor
  })
  assert.equal(second.body.transactions.length, 5)
  assert.notDeepEqual(second.body, first.body)
})

test('the activity log contains a tool’s mutation with the request id and address of the call', async (t) => {
  const own = await createPartner(database)
  const id = `req_${randomUUID().replaceAll('-', '')}`
  const given = {
    name: 'Corner Coffee LLC',
    routing_number: '021000021',
    account_number: '000123456789',
    account_type: 'checking',
    idempotency_key: randomUUID()
  }
  const response = await send(url, 'POST', '/mcp', {
    key: own.testKey,
    body: toolCall('create_recipient', given),
    headers: { ...accept, 'x-request-id': id }
  })
  assert.equal(response.headers.get('x-request-id'), id)
  assert.equal(response.body.result.isError, undefined)
  const { body } = await call(await connect(t, url, own.testKey), 'list_activity')
  assert.deepEqual(
    [body.items[0].operationId, body.items[0].requestId, body.items[0].ip],
    ['createRecipient', id, '127.0.0.1']
  )
})

test("a token bound to addresses is rejected from others, and behind a trusted proxy by the client's", async (t) => {
  const elsewhere = await partner.token(['transfers:read'], { allowedIps: ['203.0.113.7'] })
  const refused = await send(url, 'POST', '/mcp', {
    key: elsewhere,
    body: ping,
    headers: { ...accept, 'x-forwarded-for': '203.0.113.7' }
  })
  assert.deepEqual([refused.status, refused.body.error], [403, 'pat_ip_blocked'])
  const behindProxy = await openWorld(t, { env: { ATLAS_TRUST_PROXY: 'true' } })
  const key = await (
    await createPartner(behindProxy.database)
  ).token(['transfers:read'], { allowedIps: ['203.0.113.7'] })
  const sendVia = async (address: string) =>
    await send(behindProxy.url, 'POST', '/mcp', {
      key,
      body: toolCall('list_transfers', {}),
      headers: { ...accept, 'x-forwarded-for': address }
    })
  assert.equal((await sendVia('203.0.113.7')).body.result.structuredContent.has_more, false)
  assert.equal((await sendVia('203.0.113.8')).status, 403)
})

test('a foreign origin, and a host name other than the server’s, are rejected', async (t) => {
  const { host } = new URL(url)
  assert.equal((await sendRaw({ host })).status, 200)
  assert.equal((await sendRaw({ host: 'localhost:1', origin: 'http://localhost:6274' })).status, 200)
  for (const origin of ['https://evil.example', 'null', 'http://localhost.evil.example']) {
    const { status, body } = await sendRaw({ host, origin })
    assert.deepEqual([status, JSON.parse(body).error], [403, 'origin_not_allowed'], origin)
  }
  for (const name of ['evil.example', 'evil.example:3000', '127.0.0.1.evil.example']) {
    const { status, body } = await sendRaw({ host: name })
    assert.deepEqual([status, JSON.parse(body).error], [403, 'host_not_allowed'], name)
  }
  const named = await openWorld(t, { env: { ATLAS_PUBLIC_URL: 'https://api.example.test' } })
  const { testKey } = await createPartner(named.database)
  const { status } = await send(named.url, 'POST', '/mcp', {
    key: testKey,
    body: ping,
    headers: { ...accept, origin: 'https://api.example.test' }
  })
  assert.equal(status, 200)
})

test('non-protocol messages get protocol errors, and a body that is too large gets 413', async () => {
  const sent = async (body: string) => await send(url, 'POST', '/mcp', { key: partner.testKey, body, headers: accept })
  for (const [body, code] of [
    ['{"jsonrpc": ', -32700],
    ['', -32700],
    ['{"jsonrpc":"2.0","id":1,"method":1}', -32700],
    ['{"a":1}', -32700]
  ] as const) {
    const response = await sent(body)
    assert.ok(response.status >= 400 && response.status < 500, `${body} → ${response.status}`)
    assert.equal(response.body.error.code, code, response.text)
    assert.ok(response.headers.get('x-ratelimit-limit'))
  }
  assert.equal((await sent(JSON.stringify({ ...ping, method: 'no/such/method' }))).body.error.code, -32601)
  assert.equal((await sent(JSON.stringify(toolCall('no_such_tool', {})))).body.error.code, -32602)
  assert.equal((await sent(JSON.stringify({ ...ping, pad: 'x'.repeat(1024 * 1024) }))).status, 413)
})

test('there are no sessions or streams: an authenticated request by any method but POST gets 405', async () => {
  for (const method of ['GET', 'DELETE', 'PUT']) {
    const { status, headers } = await send(url, method, '/mcp', { key: partner.testKey, headers: accept })
    assert.deepEqual([status, headers.get('allow')], [405, 'POST'])
    assert.equal((await send(url, method, '/mcp')).status, 401)
  }
})

test('every client that accepts JSON is served, whether or not it accepts event streams', async () => {
  for (const headers of [{ accept: 'application/json' }, { accept: '*/*' }, { accept: 'application/*;q=0.5' }]) {
    const { status, body } = await send(url, 'POST', '/mcp', { key: partner.testKey, body: ping, headers })
    assert.deepEqual([status, body], [200, { jsonrpc: '2.0', id: 1, result: {} }], headers.accept)
  }
  const refused = await send(url, 'POST', '/mcp', {
    key: partner.testKey,
    body: ping,
    headers: { accept: 'text/html' }
  })
  assert.equal(refused.status, 406)
})

test('a batch of more than 20 messages, or one nested too deeply, is rejected as a whole', async () => {
  const many = Array.from({ length: 21 }, (_, id) => ({ ...ping, id }))
  const deep = JSON.parse(`${'['.repeat(40)}${']'.repeat(40)}`) as unknown
  for (const body of [many, `\ufeff${JSON.stringify(many)}`, toolCall('list_projects', { limit: deep })]) {
    const { status, body: problem } = await send(url, 'POST', '/mcp', { key: partner.testKey, body, headers: accept })
    assert.deepEqual([status, problem.error], [400, 'validation_failed'])
  }
})
