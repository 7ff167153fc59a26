import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { t, test } from 'tap'
import type { Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { send, type Answered } from '../credentials.ts'
import { bodyOf, examplesOf, operations, parametersOf, sampleOf } from './document.ts'
import { identifiersOf, type Identifier } from './identifiers.ts'
import { createNeighbour, createPartnerWithResources, type PartnerWithResources } from './resources.ts'

/** An operation with one of its identifiers, or all of them, taken from another partner. */
interface Case {
  operation: Operation
  name: string
  foreign: Identifier[]
}

const casesOf = (operation: Operation): Case[] => {
  const identifiers = identifiersOf(operation).filter(({ kind }) => kind !== 'unowned')
  const one = identifiers.map((identifier) => ({
    operation,
    name: `${identifier.place}/${identifier.name}`,
    foreign: [identifier]
  }))
  return identifiers.length > 1 ? [...one, { operation, name: 'all of them', foreign: identifiers }] : one
}

/** Reads run first and deletions last, so that every resource still exists when an operation needs it. */
const rankOf = ({ method, path }: Operation): number =>
  method === 'GET' ? 0 : method === 'DELETE' || path.endsWith('/revoke') ? 2 : 1

const cases = operations.flatMap(casesOf).sort((a, b) => rankOf(a.operation) - rankOf(b.operation))

/** The reviewed responses other than 404, each with its reason: `operation | identifier | status | why | prefix of public ids that it shows`. */
const exceptions = new Map(
  readFileSync(new URL('../golden/foreign-ids.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' | '))
    .map(([operation, identifier, status, why, shows]) => [
      `${operation} | ${identifier}`,
      { status: Number(status), why, shows }
    ])
)

const server = await startApp(t, { historyDays: 30 })
const neighbour = await createNeighbour(server)
const owner = await createPartnerWithResources(server, neighbour)
const stranger = await createPartnerWithResources(server, neighbour)

const headersFor = (
  operation: Operation,
  { keys }: PartnerWithResources
): { key?: string; headers?: Record<string, string> } => {
  const schemes = operation.security.flat()
  if (schemes.includes('IngestSecret'))
    return { headers: { 'x-atlas-ingest-secret': server.config.ingestSecret ?? '' } }
  if (schemes.includes('PartnerKey')) return { key: keys.partner }
  if (schemes.includes('BearerJWT')) return { key: keys.session }
  return schemes.includes('AgentKey') ? { key: keys.agent } : {}
}

/** The cursor that follows the first row of a partner's own list. */
const cursorOf = async (operation: Operation, of: PartnerWithResources): Promise<string> => {
  const path = new URL(await pathFor(operation, of, []), server.url)
  path.searchParams.set('limit', '1')
  const { body, text } = await send(server.url, 'GET', path.pathname + path.search, headersFor(operation, of))
  const cursor: unknown = body?.next_cursor ?? body?.nextCursor
  assert.ok(
    typeof cursor === 'string',
    `${operation.operationId} has no second page. Create two of them in test/architecture/resources.ts. Response: ${text.slice(0, 200)}`
  )
  return cursor
}

const valueOf = async (
  operation: Operation,
  { kind }: Identifier,
  of: PartnerWithResources
): Promise<string | number> => {
  if (kind === 'unowned') return 'unknown'
  return kind === 'cursor' ? await cursorOf(operation, of) : of.resources[kind]
}

/** The operation's path for a partner, with its own resources, or the owner's for identifiers in `foreign`. */
const pathFor = async (operation: Operation, by: PartnerWithResources, foreign: Identifier[]): Promise<string> => {
  let path = operation.path
  const query = new URLSearchParams()
  const identifiers = identifiersOf(operation)
  for (const parameter of parametersOf(operation).filter(({ in: place }) => place === 'path' || place === 'query')) {
    const identifier = identifiers.find(({ place, name }) => place === parameter.in && name === parameter.name)
    const isForeign = foreign.some(({ place, name }) => place === parameter.in && name === parameter.name)
    if (parameter.required !== true && !isForeign) continue
    const value =
      identifier === undefined || identifier.kind === 'unowned'
        ? sampleOf(parameter)
        : String(await valueOf(operation, identifier, isForeign ? owner : by))
    if (parameter.in === 'path') path = path.replace(`{${parameter.name}}`, encodeURIComponent(value))
    else query.set(parameter.name, value)
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`
}

const put = (body: unknown, [key, ...rest]: (string | number)[], value: unknown): void => {
  const parent = body as Record<string | number, unknown>
  if (key === undefined) return
  if (rest.length > 0) put((parent[key] ??= typeof rest[0] === 'number' ? [] : {}), rest, value)
  else parent[key] = value
  if (Array.isArray(body)) body.length = 1
}

const holds = (body: unknown, pointer: (string | number)[]): boolean =>
  pointer.reduce<unknown>((node, key) => (node as Record<string | number, unknown> | undefined)?.[key], body) !==
  undefined

/** The body of an example that contains the given identifiers. */
const bodyFor = async (operation: Operation, by: PartnerWithResources, foreign: Identifier[]): Promise<unknown> => {
  const media = bodyOf(operation)['application/json']
  if (media === undefined) return undefined
  const inBody = identifiersOf(operation).filter(({ place, kind }) => place === 'body' && kind !== 'unowned')
  const examples = examplesOf(media)
  const body: unknown = structuredClone(
    examples.find((example) => foreign.every(({ place, pointer }) => place !== 'body' || holds(example, pointer))) ??
      examples[0]
  )
  for (const identifier of inBody) {
    const isForeign = foreign.some(
      ({ pointer, place }) => place === 'body' && pointer.join() === identifier.pointer.join()
    )
    if (isForeign || holds(body, identifier.pointer))
      put(body, identifier.pointer, await valueOf(operation, identifier, isForeign ? owner : by))
  }
  return body
}

const call = async ({ operation, foreign }: Case, by: PartnerWithResources): Promise<Answered & { sent: string }> => {
  const [path, body] = [await pathFor(operation, by, foreign), await bodyFor(operation, by, foreign)]
  const response = await send(server.url, operation.method, path, { ...headersFor(operation, by), body })
  return { ...response, sent: `${path} ${JSON.stringify(body ?? '')}` }
}

/** What a response leaks: identifiers of the owner that the request did not contain. */
const leaksOf = ({ text, sent }: { text: string; sent: string }): string[] =>
  owner.secrets.filter((id) => text.includes(id) && !sent.includes(id))

/** Whether a list filtered by a foreign identifier is harmless: an empty page, or for a foreign cursor the caller's own rows or `invalid_cursor`. */
const isHarmlessPage = ({ operation, foreign }: Case, { status, body }: Answered): boolean => {
  if (operation.method !== 'GET' || foreign.some(({ place, kind }) => place !== 'query' && kind !== 'cursor'))
    return false
  if (status === 400) return body?.error === 'invalid_cursor' && foreign.some(({ kind }) => kind === 'cursor')
  const rows = Object.values((body ?? {}) as Record<string, unknown>).filter(Array.isArray)
  const onlyCursor = foreign.every(({ kind }) => kind === 'cursor')
  return status === 200 && rows.length > 0 && (onlyCursor || rows.every((list) => list.length === 0))
}

test('every operation returns 404 for real identifiers of another partner, except the reviewed ones', async () => {
  const faults: string[] = []
  const used = new Set<string>()
  for (const one of cases) {
    const key = `${one.operation.operationId} | ${one.name}`
    const response = await call(one, stranger)
    const exception = exceptions.get(key)
    if (exception !== undefined && !(response.status === 404 || isHarmlessPage(one, response))) used.add(key)
    const isRight =
      exception === undefined
        ? response.status === 404 || isHarmlessPage(one, response)
        : response.status === exception.status
    if (!isRight) faults.push(`${key} | ${response.status} | ${response.text.slice(0, 160)}`)
    // Operators see every partner. No other caller may see anything.
    const found = one.operation.extensions?.['x-operator-only'] === true ? [] : leaksOf(response)
    const leaks = found.filter((id) => exception?.shows === undefined || !id.startsWith(`${exception.shows}-`))
    if (leaks.length > 0) faults.push(`${key} leaks the owner’s ${leaks.join(', ')}`)
  }
  assert.deepEqual(
    faults,
    [],
    'Fix the operation. If the response is correct, add a line with the reason to test/golden/foreign-ids.txt.'
  )
  assert.deepEqual(
    [...exceptions.keys()].filter((key) => !used.has(key)),
    [],
    'These exceptions are no longer needed. Remove them.'
  )
  assert.deepEqual(
    [...exceptions].filter(([, { why }]) => why === undefined || why.length < 10).map(([key]) => key),
    [],
    'These exceptions have no reason.'
  )
})

test('every operation accepts the same identifiers from their owner, whose resources all still exist', async () => {
  const faults: string[] = []
  const own = cases.filter(({ operation }) => operation.security.length > 0)
  const called = new Set<string>()
  for (const one of own) {
    if (called.has(one.operation.operationId)) continue
    called.add(one.operation.operationId)
    const { status, text } = await call({ ...one, foreign: [] }, owner)
    if ([400, 401, 403, 404].includes(status) || status >= 500)
      faults.push(`${one.operation.operationId} returned ${status}: ${text.slice(0, 200)}`)
  }
  assert.deepEqual(faults, [])
})
