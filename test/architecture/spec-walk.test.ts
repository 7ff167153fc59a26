import assert from 'node:assert/strict'
import { t, test } from 'tap'
import type { Method, Operation } from '../../plugins/operations/table.ts'
import { startApp } from '../build-app.ts'
import { bodyOf, operations, parametersOf, pathOf, resolve, type SchemaObject } from './document.ts'
import { Walker } from './walker.ts'

const server = await startApp(t)

/** Visits every operation and fails with all faults found. */
const walk = (title: string, visit: (walker: Walker, operation: Operation) => Promise<void>): void => {
  test(title, async () => {
    const walker = new Walker(server)
    for (const operation of operations) await visit(walker, operation)
    assert.deepEqual(walker.faults, [])
  })
}

const isSecured = ({ security }: Operation): boolean =>
  security.length > 0 && security.every((alternative) => alternative.length > 0)

test('a token can be granted every scope that an operation requires', async () => {
  const { enum: scopes = [] } = resolve<SchemaObject>({ $ref: '#/components/schemas/Scope' })
  const missing = operations.flatMap((operation) =>
    operation.scopes.filter((scope) => !scopes.includes(scope)).map((scope) => `${operation.operationId}: ${scope}`)
  )
  assert.deepEqual(missing, [], 'Add it to `Scope` in spec/identity.yaml.')
})

walk('every operation that requires a credential rejects requests without one', async (walker, operation) => {
  if (!isSecured(operation)) return
  const { status } = await walker.call(operation, walker.exampleOf(operation))
  walker.expect(operation, status === 401, `returned ${status} without a credential`)
})

walk('every operation that requires a credential rejects unknown ones', async (walker, operation) => {
  if (!isSecured(operation) || operation.security.flat().every((scheme) => scheme === 'RefreshCookie')) return
  for (const key of ['afg_test_unknown', 'afg_live_unknown', 'atlas_pat_unknown', 'unknown']) {
    const { status } = await walker.call(operation, { ...walker.exampleOf(operation), key })
    walker.expect(operation, status === 401, `returned ${status} for ${key}`)
  }
})

walk('a token works only within its scopes, and the problem names the missing scope', async (walker, operation) => {
  if (!isSecured(operation) || operation.security.flat().includes('IngestSecret')) return
  const admitted = operation.security.some((alternative) => alternative.includes('PersonalAccessToken'))
  if (
    operation.security.flat().every((scheme) => scheme === 'RefreshCookie') ||
    (admitted && operation.scopes.length === 0)
  )
    return
  const { status, body } = await walker.call(operation, { ...walker.exampleOf(operation), key: await walker.token([]) })
  const expected = admitted ? 'insufficient_scope' : 'credential_not_accepted'
  walker.expect(
    operation,
    status === 403 && body?.error === expected,
    `returned ${status} ${String(body?.error)} for a token without scopes`
  )
  if (admitted)
    walker.expect(
      operation,
      operation.scopes.includes(body?.missingScope),
      `named the scope ${String(body?.missingScope)}`
    )
})

walk(
  'a body that is not JSON or not an object gets 400, and another content type gets 415',
  async (walker, operation) => {
    if (!operation.bodyTypes.includes('application/json') || operation.security.flat().includes('RefreshCookie')) return
    const credential = await walker.credentialFor(operation)
    const sendBody = (body: string, type: string) =>
      walker.call(operation, { ...credential, body, headers: { ...credential.headers, 'content-type': type } })
    const malformed = await sendBody('{"a": ', 'application/json')
    walker.expect(
      operation,
      malformed.status === 400 && malformed.body?.error === 'malformed_json',
      `returned ${malformed.status} for malformed JSON`
    )
    const list = await sendBody('["a"]', 'application/json')
    walker.expect(
      operation,
      list.status === 400 && list.body?.errors?.length > 0,
      `returned ${list.status} for an array instead of an object`
    )
    const xml = await sendBody('<a/>', 'application/xml')
    walker.expect(operation, xml.status === 415, `returned ${xml.status} for XML`)
  }
)

walk('a body with an unknown field is rejected, and the problem names the field', async (walker, operation) => {
  const schema = resolve<SchemaObject>(bodyOf(operation)['application/json']?.schema ?? {})
  if (schema.additionalProperties !== false || operation.security.flat().includes('RefreshCookie')) return
  const { status, body } = await walker.call(operation, {
    ...(await walker.credentialFor(operation)),
    body: { no_such_field: 1 }
  })
  const paths = ((body?.errors ?? []) as { path: string }[]).map(({ path }) => path)
  walker.expect(
    operation,
    status === 400 && paths.includes('body/no_such_field'),
    `returned ${status} and named ${paths.join(', ') || 'nothing'}`
  )
})

walk('an unknown query parameter is rejected, and the problem names it', async (walker, operation) => {
  const { extensions } = operation
  const isOpen = extensions?.['x-open-query'] === true || extensions?.['x-signed-by'] !== undefined
  const credential = await walker.credentialFor(operation)
  const path = pathOf(operation)
  const { status, body } = await walker.call(
    operation,
    { ...walker.exampleOf(operation), ...credential },
    operation.method,
    `${path}${path.includes('?') ? '&' : '?'}no_such_parameter=1`
  )
  const isNamed = JSON.stringify(body?.errors ?? '').includes('query/no_such_parameter')
  const isRejected = status === 400 && isNamed
  if (isOpen) walker.expect(operation, !isNamed, `returned ${status} for a parameter of another site`)
  else walker.expect(operation, isRejected, `returned ${status} for an unknown parameter`)
})

walk('an invalid query parameter is rejected, and the problem names it', async (walker, operation) => {
  const credential = await walker.credentialFor(operation)
  for (const { name, in: place, schema = {} } of parametersOf(operation)) {
    const { type, enum: values } = resolve<SchemaObject>(schema)
    if (place !== 'query' || (values === undefined && type !== 'integer' && type !== 'number')) continue
    const path = `${operation.path.replace(/\{\w+\}/g, 'x')}?${name}=no+such+value`
    const { status, body } = await walker.call(
      operation,
      { ...walker.exampleOf(operation), ...credential },
      operation.method,
      path
    )
    walker.expect(
      operation,
      status === 400 && JSON.stringify(body?.errors ?? '').includes(name),
      `returned ${status} for an invalid ${name}`
    )
  }
})

test('an unsupported method on a known path gets 405, and Allow names the supported ones', async () => {
  const walker = new Walker(server)
  const known: Method[] = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']
  const byPath = new Map<string, Operation[]>()
  for (const operation of operations) byPath.set(operation.path, [...(byPath.get(operation.path) ?? []), operation])
  for (const [, [first, ...others]] of byPath) {
    if (first === undefined) continue
    const methods = [first, ...others].map(({ method }) => method)
    const wrong = known.find((method) => !methods.includes(method))
    if (wrong === undefined) continue
    const { status, headers } = await walker.call(first, {}, wrong)
    const allowed = new Set((headers.get('allow') ?? '').split(', '))
    walker.expect(
      first,
      status === 405 && methods.every((method) => allowed.has(method)),
      `returned ${status} for ${wrong}, with Allow: ${headers.get('allow')}`
    )
  }
  assert.deepEqual(walker.faults, [])
})

walk('the request of every example passes validation and gets a documented status', async (walker, operation) => {
  const credential = await walker.credentialFor(operation)
  const example = walker.exampleOf(operation) ?? {}
  const { status, body, text } = await walker.call(operation, {
    ...example,
    ...credential,
    headers: { ...example.headers, ...credential.headers }
  })
  walker.expect(
    operation,
    body?.error !== 'validation_failed' && body?.error !== 'malformed_json',
    `rejected its own example: ${text.slice(0, 300)}`
  )
  walker.expect(
    operation,
    Object.keys(operation.schema.response).includes(String(status)) && status !== 500,
    `returned ${status}: ${text.slice(0, 300)}`
  )
})

walk('a valid but unknown identifier gets 404', async (walker, operation) => {
  if (!isSecured(operation) || !operation.path.includes('{') || operation.security.flat().includes('IngestSecret'))
    return
  const example = walker.exampleOf(operation)
  const { status, body } = await walker.call(operation, { ...example, ...(await walker.credentialFor(operation)) })
  // Agent ids are public, so a caller that does not own the agent gets `not_owner`.
  walker.expect(operation, status === 404 || body?.error === 'not_owner', `returned ${status} ${String(body?.error)}`)
})
