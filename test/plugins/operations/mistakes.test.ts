import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { t, test } from 'tap'
import { signAccessToken } from '../../../plugins/access/access-tokens.ts'
import { known } from '../../../plugins/http/errors/sentences.ts'
import type { Operation } from '../../../plugins/operations/table.ts'
import { allOperations, recursiveSchemas } from '../../../spec/generated/index.ts'
import { startApp } from '../../build-app.ts'
import { createPartner, openSession, send } from '../../credentials.ts'
import { mistakenBodies, type Mistake, type Sender } from './mistaken-bodies.ts'
import { mistakenTargets } from './mistaken-targets.ts'

const { url, database, clock, config } = await startApp(t)
const partner = await createPartner(database, { production: true })

const createSession = async (): Promise<string> => {
  const { partnerId, userId } = partner
  const now = clock.now()
  const sessionId = await openSession(database, partner, now)
  return await signAccessToken(config.jwtSecret, { userId, partnerId, sessionId }, now)
}

const createAgentKey = async (): Promise<string> => {
  const body = { agent_id: `agent-${randomBytes(6).toString('hex')}` }
  return String((await send(url, 'POST', '/api/register', { body })).body.api_key)
}

const credentials: Record<Exclude<Sender, 'none'>, string> = {
  key: partner.testKey,
  live: partner.liveKey,
  readToken: await partner.token(['projects:read']),
  blockedToken: await partner.token(['projects:read'], { allowedIps: ['203.0.113.7'] }),
  agent: await createAgentKey(),
  session: await createSession()
}

const mistakes: Mistake[] = [...mistakenBodies, ...mistakenTargets]

for (const { what, send: request, as = 'key', body, headers = {}, status, detail } of mistakes) {
  test(`${request.slice(0, 40)} with ${what} gets ${status} and a sentence that helps`, async () => {
    const [method = '', path = ''] = request.split(' ')
    const answer = await send(url, method, path, {
      ...(as === 'none' ? {} : { key: credentials[as] }),
      ...(body === undefined ? {} : { body }),
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers }
    })
    assert.deepEqual([answer.status, answer.body?.detail], [status, detail])
  })
}

/** Every keyword and format in the schemas of requests. */
const used = { keywords: new Set<string>(), formats: new Set<string>() }

const structure = new Set(['properties', 'items', 'default', '$ref', '$id', 'x-message'])

const collect = (schema: unknown): void => {
  if (typeof schema !== 'object' || schema === null) return
  const { properties = {}, items, additionalProperties, ...own } = schema as Record<string, unknown>
  for (const keyword of Object.keys(own)) if (!structure.has(keyword)) used.keywords.add(keyword)
  if (typeof own['format'] === 'string') used.formats.add(own['format'])
  if (additionalProperties === false) used.keywords.add('additionalProperties')
  for (const inner of [...Object.values(properties as object), items, additionalProperties]) collect(inner)
}

test('every keyword and format that a request can violate has a sentence', async () => {
  for (const { schema } of Object.values<Operation>(allOperations)) {
    for (const part of [schema.params, schema.querystring, schema.headers, schema.body]) collect(part)
  }
  recursiveSchemas.forEach(collect)
  assert.ok(used.keywords.size > 10)
  assert.deepEqual(
    [...used.keywords].filter((keyword) => !known.keywords.includes(keyword)),
    []
  )
  assert.deepEqual(
    [...used.formats].filter((format) => !known.formats.includes(format)),
    []
  )
})

test('a token that is refused for its address does not count as used', async () => {
  const secret = await partner.token(['projects:read'], { allowedIps: ['203.0.113.7'] })
  assert.equal((await send(url, 'GET', '/v1/projects', { key: secret })).status, 403)
  const tokens = async () =>
    (await send(url, 'GET', '/v1/tokens', { key: credentials.session })).body.items as {
      prefix: string
      lastUsedAt: string | null
    }[]
  const found = (await tokens()).find(({ prefix }) => prefix.endsWith(secret.slice(-4)))
  assert.equal(found?.lastUsedAt, null)
})

test('a long path gets a short problem without a suggestion', async () => {
  const { status, body, text } = await send(url, 'GET', `/v1/${'accounts/'.repeat(800)}`)
  assert.equal(status, 404)
  assert.match(String(body.detail), /^The path .{100}… does not exist\. The reference lists every path: \/docs$/)
  assert.ok(text.length < 500)
})

test('a path with markup is not decoded in the problem', async () => {
  const { body, headers } = await send(url, 'GET', '/accounts/%3Cscript%3E"')
  assert.equal(headers.get('content-type'), 'application/problem+json')
  assert.doesNotMatch(String(body.detail), /<script/)
})

test('a thousand unknown parameters get 20 named and a short problem', async () => {
  const query = Array.from({ length: 1_000 }, (_, index) => `p${index}=1`).join('&')
  const { status, body, text } = await send(url, 'GET', `/v1/projects?${query}`, { key: partner.testKey })
  assert.equal(status, 400)
  assert.equal(body.errors.length, 20)
  assert.match(String(body.detail), /^The request has 1000 invalid fields: /)
  assert.ok(text.length < 5_000)
})

test('a fault at the end of a long body is searched for only at its beginning', async () => {
  const { status, body } = await send(url, 'POST', '/v1/projects', {
    key: partner.testKey,
    body: `{"name": "a", "description": "${'x'.repeat(200_000)}",}`,
    headers: { 'content-type': 'application/json' }
  })
  assert.equal(status, 400)
  assert.match(String(body.detail), /^The body is not valid JSON after its first 100000 characters\./)
})

test('a field with a name of half a megabyte is named by its beginning', async () => {
  const { status, body, text } = await send(url, 'POST', '/v1/projects', {
    key: partner.testKey,
    body: { name: 'a', ['x'.repeat(500_000)]: 1 }
  })
  assert.equal(status, 400)
  assert.match(String(body.errors[0].path), /^body\/x+…$/)
  assert.ok(text.length < 2_000)
})

test('pages, and webhooks of other services, ignore parameters that they do not know', async () => {
  for (const path of [
    '/checkout/return?outcome=cancelled&utm_source=mail',
    '/errors?from=mail',
    '/redoc?v=2',
    '/openapi.json?v=2',
    '/docs?v=2'
  ])
    assert.ok((await send(url, 'GET', path)).status < 400, path)
  for (const { path, method, extensions } of Object.values<Operation>(allOperations)) {
    if (extensions?.['x-signed-by'] === undefined) continue
    const { body } = await send(url, method, `${path}?account=1`, { body: {} })
    assert.doesNotMatch(JSON.stringify(body ?? ''), /query\/account/, path)
  }
})

test('HEAD rejects unknown parameters as GET does', async () => {
  const { status } = await send(url, 'HEAD', '/v1/projects?limt=1', { key: partner.testKey })
  assert.equal(status, 400)
})
