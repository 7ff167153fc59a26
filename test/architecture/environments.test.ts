import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { t, test } from 'tap'
import type { Environment } from '../../plugins/access/caller.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { send, type Answered } from '../credentials.ts'
import { createPartnerOfBoth, type PartnerOfBoth } from '../environments.ts'
import { bodyOf, examplesOf, operations, parametersOf, sampleOf } from './document.ts'
import { identifiersOf } from './identifiers.ts'
import {
  clientOf,
  createNeighbour,
  linkItem,
  makeAgent,
  makeWebhook,
  makeWork,
  moveMoney,
  type Call,
  type Resources
} from './resources.ts'

const server = await startApp(t, { historyDays: 30 })
const { url, app } = server
const neighbour = await createNeighbour(server)

/** Sends requests with a key, and requests to the sandbox with the key of another partner. */
const clientWith = (key: string): Call => {
  const [own, sandbox] = [clientOf(url, key), clientOf(url, neighbour.key)]
  return (method, path, ...rest) => (path.startsWith('/v1/sandbox') ? sandbox : own)(method, path, ...rest)
}

const createResources = async (call: Call, session: string | undefined, endUser: string, mark: string) => {
  const bank = await linkItem(call, endUser)
  return {
    ...bank,
    ...(await makeWork(call)),
    ...(await moveMoney(call, bank.account, mark)),
    ...(await makeWebhook(call, endUser)),
    ...(session === undefined ? {} : await makeAgent(call, session, neighbour, `agent-${mark}`))
  }
}

/** Creates one resource of every kind in one environment. Agents of a partner in production belong to live. */
const fill = async ({ keys, session }: PartnerOfBoth, environment: Environment): Promise<Partial<Resources>> => {
  const mark = randomBytes(6).toString('hex')
  const endUser = `usr_of_${mark}`
  const call = clientWith(keys[environment])
  const resources = await createResources(call, environment === 'live' ? session : undefined, endUser, mark)
  await app.outbox.settle()
  return { ...resources, endUser }
}

/** The shortest request of an operation, with the identifiers of these resources. */
const requestOf = (operation: Operation, resources: Partial<Resources>): { path: string; body: unknown } => {
  let { path } = operation
  const query = new URLSearchParams()
  const identifiers = identifiersOf(operation)
  for (const parameter of parametersOf(operation).filter(({ in: place }) => place === 'path' || place === 'query')) {
    const kind = identifiers.find(({ place, name }) => place === parameter.in && name === parameter.name)?.kind
    if (parameter.required !== true) continue
    const named = kind === undefined || kind === 'cursor' || kind === 'unowned' ? undefined : resources[kind]
    const value = String(named ?? sampleOf(parameter))
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(value))
    else query.set(parameter.name, value)
  }
  const media = bodyOf(operation)['application/json']
  return {
    path: query.size === 0 ? path : `${path}?${query.toString()}`,
    body: media === undefined ? undefined : examplesOf(media)[0]
  }
}

const call = async (operation: Operation, resources: Partial<Resources>, key: string): Promise<Answered> => {
  const { path, body } = requestOf(operation, resources)
  return await send(url, operation.method, path, { key, ...(body === undefined ? {} : { body }) })
}

/** A response without members that always differ, such as the opaque position in a feed. */
const comparable = ({ status, body }: Answered): unknown => {
  const { requestId: _requestId, next_cursor: _cursor, ...rest } = (body ?? {}) as Record<string, unknown>
  return { status, ...rest }
}

const ofPartners = operations.filter(({ security }) => security.flat().includes('PartnerKey'))
const reads = ofPartners.filter(({ method }) => method === 'GET')
const changes = ofPartners
  // Reports are on credits, which have no environment.
  .filter(({ group }) => group !== 'bureau')
  .filter((operation) => operation.method !== 'GET' && identifiersOf(operation).some(({ place }) => place === 'path'))
  .sort((one, other) => Number(one.method === 'DELETE') - Number(other.method === 'DELETE'))

const empty = await createPartnerOfBoth(server)

for (const [environment, other] of [
  ['live', 'test'],
  ['test', 'live']
] as const) {
  const partner = await createPartnerOfBoth(server)
  const resources = await fill(partner, environment)

  test(`a ${other} key gets the same responses as if its partner had no ${environment} data`, async () => {
    const faults: string[] = []
    for (const operation of reads) {
      const own = comparable(await call(operation, resources, partner.keys[environment]))
      const seen = comparable(await call(operation, resources, partner.keys[other]))
      const nothing = comparable(await call(operation, resources, empty.keys[other]))
      try {
        assert.deepEqual(seen, nothing)
        assert.notDeepEqual(own, nothing, 'the environment has no data to hide')
      } catch (error) {
        faults.push(`${operation.operationId}: ${String(error)}`)
      }
    }
    assert.deepEqual(faults, [])
  })

  test(`a ${other} key cannot change ${environment} data: each operation on it returns 404`, async () => {
    const faults: string[] = []
    for (const operation of changes) {
      const response = await call(operation, resources, partner.keys[other])
      // Sandbox operations do not exist in the live environment.
      const isRight = response.status === 404 || response.body?.error === 'test_credential_required'
      if (!isRight) faults.push(`${operation.operationId} returned ${response.status}: ${response.text.slice(0, 200)}`)
    }
    assert.deepEqual(faults, [])
    const missing: string[] = []
    for (const operation of reads.filter((read) => identifiersOf(read).some(({ place }) => place === 'path'))) {
      const { status } = await call(operation, resources, partner.keys[environment])
      if (status !== 200) missing.push(operation.operationId)
    }
    assert.deepEqual(missing, [])
  })
}

test('a signed-in user reads both environments or the requested one, and events one environment at a time', async () => {
  const partner = await createPartnerOfBoth(server)
  for (const environment of ['live', 'test'] as const) {
    const { endUser } = await fill(partner, environment)
    await send(url, 'GET', `/v1/transactions?user_id=${endUser}`, { key: partner.keys[environment] })
  }
  await app.outbox.settle()
  const both = reads.filter(
    (read) => parametersOf(read).some(({ name }) => name === 'environment') && !read.path.includes('{')
  )
  const read = async (key: string, path: string) => {
    const { status, body, text } = await send(url, 'GET', path, { key })
    assert.equal(status, 200, text)
    return body
  }
  assert.deepEqual(both.map(({ path }) => path).sort(), [
    '/v1/activity',
    '/v1/events',
    '/v1/projects',
    '/v1/tasks',
    '/v1/usage',
    '/v1/webhooks'
  ])
  for (const { path } of both) {
    const [test, live] = [await read(partner.keys.test, path), await read(partner.keys.live, path)]
    assert.notDeepEqual(test, live, path)
    assert.deepEqual(await read(partner.session, `${path}?environment=test`), test)
    assert.deepEqual(await read(partner.session, `${path}?environment=live`), live)
    const nothing = await read(partner.keys.test, `${path}?environment=live`)
    const all = await read(partner.session, path)
    if (path === '/v1/events') {
      assert.deepEqual(all, test)
      continue
    }
    if (path === '/v1/usage') {
      assert.equal(nothing.totals.transactions, 0)
      for (const count of ['account_links', 'transactions', 'volume_cents', 'active_users'])
        assert.equal(all.totals[count], test.totals[count] + live.totals[count], count)
      continue
    }
    assert.deepEqual(nothing, { items: [], nextCursor: null })
    const ids = ({ items }: { items: { id: string }[] }) => items.map(({ id }) => id)
    assert.deepEqual(ids(all).sort(), [...ids(test), ...ids(live)].sort(), path)
    const paged: string[] = []
    for (let query: string | undefined = '?limit=1'; query !== undefined;) {
      const page = await read(partner.session, `${path}${query}`)
      paged.push(...ids(page))
      query = page.nextCursor === null ? undefined : `?limit=1&cursor=${encodeURIComponent(String(page.nextCursor))}`
    }
    assert.deepEqual(paged, ids(await read(partner.session, path)), path)
  }
})
