import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { t, test } from 'tap'
import type { Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { send, type Answered } from '../credentials.ts'
import { bodyOf, examplesOf, operations, parametersOf, sampleOf } from './document.ts'
import { identifiersOf, type Identifier } from './identifiers.ts'
import { makeNeighbour, makePartner, type PartnerWithThings } from './things.ts'

/** An operation with one of its identifiers to be foreign, or with all of them at once. */
interface Case {
  operation: Operation
  name: string
  foreign: Identifier[]
}

const casesOf = (operation: Operation): Case[] => {
  const identifiers = identifiersOf(operation).filter(({ kind }) => kind !== 'nobodys')
  const one = identifiers.map((identifier) => ({
    operation,
    name: `${identifier.place}/${identifier.name}`,
    foreign: [identifier]
  }))
  return identifiers.length > 1 ? [...one, { operation, name: 'all of them', foreign: identifiers }] : one
}

/** Reading comes first and ending last, so that everything is still there when it is asked for. */
const rankOf = ({ method, path }: Operation): number =>
  method === 'GET' ? 0 : method === 'DELETE' || path.endsWith('/revoke') ? 2 : 1

const cases = operations.flatMap(casesOf).sort((a, b) => rankOf(a.operation) - rankOf(b.operation))

/** The reviewed answers other than 404, each with its reason: `operation | identifier | status | why`. */
const exceptions = new Map(
  readFileSync(new URL('../golden/foreign-ids.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(' | '))
    .map(([operation, identifier, status, why]) => [`${operation} | ${identifier}`, { status: Number(status), why }])
)

const server = await startApp(t, { historyDays: 30 })
const neighbour = await makeNeighbour(server)
const owner = await makePartner(server, neighbour)
const stranger = await makePartner(server, neighbour)

const headersFor = (
  operation: Operation,
  { keys }: PartnerWithThings
): { key?: string; headers?: Record<string, string> } => {
  const schemes = operation.security.flat()
  if (schemes.includes('IngestSecret'))
    return { headers: { 'x-atlas-ingest-secret': server.config.ingestSecret ?? '' } }
  if (schemes.includes('PartnerKey')) return { key: keys.partner }
  if (schemes.includes('BearerJWT')) return { key: keys.session }
  return schemes.includes('AgentKey') ? { key: keys.agent } : {}
}

/** The cursor that follows the first row of a partner's own list. */
const cursorOf = async (operation: Operation, of: PartnerWithThings): Promise<string> => {
  const path = new URL(await pathFor(operation, of, []), server.url)
  path.searchParams.set('limit', '1')
  const { body, text } = await send(server.url, 'GET', path.pathname + path.search, headersFor(operation, of))
  const cursor: unknown = body?.next_cursor ?? body?.nextCursor
  assert.ok(
    typeof cursor === 'string',
    `${operation.operationId} has no second page; let test/architecture/things.ts make two of them. It answered ${text.slice(0, 200)}`
  )
  return cursor
}

const valueOf = async (operation: Operation, { kind }: Identifier, of: PartnerWithThings): Promise<string | number> => {
  if (kind === 'nobodys') return 'unknown'
  return kind === 'cursor' ? await cursorOf(operation, of) : of.things[kind]
}

/** The operation's path for a partner: its own things, or the owner's where they shall be foreign. */
const pathFor = async (operation: Operation, by: PartnerWithThings, foreign: Identifier[]): Promise<string> => {
  let path = operation.path
  const query = new URLSearchParams()
  const identifiers = identifiersOf(operation)
  for (const parameter of parametersOf(operation).filter(({ in: place }) => place === 'path' || place === 'query')) {
    const identifier = identifiers.find(({ place, name }) => place === parameter.in && name === parameter.name)
    const isForeign = foreign.some(({ place, name }) => place === parameter.in && name === parameter.name)
    if (parameter.required !== true && !isForeign) continue
    const value =
      identifier === undefined || identifier.kind === 'nobodys'
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

/** The body of an example that has the identifiers in question. */
const bodyFor = async (operation: Operation, by: PartnerWithThings, foreign: Identifier[]): Promise<unknown> => {
  const media = bodyOf(operation)['application/json']
  if (media === undefined) return undefined
  const inBody = identifiersOf(operation).filter(({ place, kind }) => place === 'body' && kind !== 'nobodys')
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

const ask = async ({ operation, foreign }: Case, by: PartnerWithThings): Promise<Answered & { sent: string }> => {
  const [path, body] = [await pathFor(operation, by, foreign), await bodyFor(operation, by, foreign)]
  const answered = await send(server.url, operation.method, path, { ...headersFor(operation, by), body })
  return { ...answered, sent: `${path} ${JSON.stringify(body ?? '')}` }
}

/** What an answer gives away: the owner's identifiers that the request did not hold already. */
const leaksOf = ({ text, sent }: { text: string; sent: string }): string[] =>
  owner.secrets.filter((id) => text.includes(id) && !sent.includes(id))

/** Of a list that is narrowed to what is foreign: a page without a row, or with a foreign cursor either the caller's own rows or a refusal of the cursor. */
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
    const answered = await ask(one, stranger)
    const exception = exceptions.get(key)
    if (exception !== undefined && !(answered.status === 404 || isHarmlessPage(one, answered))) used.add(key)
    const isRight =
      exception === undefined
        ? answered.status === 404 || isHarmlessPage(one, answered)
        : answered.status === exception.status
    if (!isRight) faults.push(`${key} | ${answered.status} | ${answered.text.slice(0, 160)}`)
    // Operators are shown every partner; nobody else is shown anything.
    const leaks = one.operation.extensions?.['x-operator-only'] === true ? [] : leaksOf(answered)
    if (leaks.length > 0) faults.push(`${key} gives away the owner’s ${leaks.join(', ')}`)
  }
  assert.deepEqual(
    faults,
    [],
    'Mend it; or, if the answer is right, give it a line with the reason in test/golden/foreign-ids.txt.'
  )
  assert.deepEqual(
    [...exceptions.keys()].filter((key) => !used.has(key)),
    [],
    'These exceptions are not needed any more.'
  )
  assert.deepEqual(
    [...exceptions].filter(([, { why }]) => why === undefined || why.length < 10).map(([key]) => key),
    [],
    'These exceptions have no reason.'
  )
})

test('every operation finds the same identifiers for their owner, and nothing is missing afterwards', async () => {
  const faults: string[] = []
  const own = cases.filter(({ operation }) => operation.security.length > 0)
  const asked = new Set<string>()
  for (const one of own) {
    if (asked.has(one.operation.operationId)) continue
    asked.add(one.operation.operationId)
    const { status, text } = await ask({ ...one, foreign: [] }, owner)
    if ([400, 401, 403, 404].includes(status) || status >= 500)
      faults.push(`${one.operation.operationId} answered ${status}: ${text.slice(0, 200)}`)
  }
  assert.deepEqual(faults, [])
})
