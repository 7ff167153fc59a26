import type { Bundle } from './bundle.ts'
import { HEADER } from './header.ts'
import type { ClientMethod } from './methods.ts'
import { clientMethods } from './methods.ts'
import { literal, quote } from './print.ts'

/** The client's methods: their signatures as an interface, and what each sends as a table. `clientPath` leads from the output folder to client. */
export function printClientMethods(bundle: Bundle, clientPath: string): string {
  const resources = byResource(clientMethods(bundle))
  const signatures = resources.map(
    ([resource, methods]) => `${resource}: {\n${methods.map(printSignature).join('\n').replace(/^/gm, '  ')}\n}`
  )
  const table = Object.fromEntries(
    resources.map(([resource, methods]) => [
      resource,
      Object.fromEntries(methods.map((method) => [method.name, rowOf(method)]))
    ])
  )
  const body = signatures.join('\n').replace(/^/gm, '  ')
  const used = ['Answer', 'Body', 'CallOptions', 'Item', 'MethodTable', 'Query'].filter(
    (name) => name === 'MethodTable' || new RegExp(`\\b${name}\\b`).test(body)
  )
  return `${HEADER}
import type { ${used.join(', ')} } from '${clientPath}/types.ts'

/** Every operation of the API as \`resource.method\`. */
export interface AtlasResources {
${body}
}

/** What each method sends. */
export const methods = ${literal(table)} as const satisfies MethodTable
`
}

function byResource(methods: ClientMethod[]): [resource: string, methods: ClientMethod[]][] {
  const resources = new Map<string, ClientMethod[]>()
  for (const method of methods) resources.set(method.resource, [...(resources.get(method.resource) ?? []), method])
  return [...resources].sort(([a], [b]) => (a < b ? -1 : 1))
}

function printSignature(method: ClientMethod): string {
  const { operation, verb, path, name, page } = method
  const id = quote(operation.operationId)
  const parameters = parametersOf(method)
  const text = `/** ${(operation.summary ?? operation.operationId).replaceAll('*/', '* /')}: \`${verb} ${path}\`. */`
  if (page === undefined) return `${text}\n${name}(${parameters}): Promise<Answer<${id}>>`
  const [list, ...others] = page.lists
  const all =
    list === undefined || others.length > 0
      ? []
      : [
          '/** Every item, page after page. */',
          `all(${parameters}): AsyncGenerator<Item<${id}, ${quote(list)}>, void, undefined>`
        ]
  const lines = [
    `(${parameters}): Promise<Answer<${id}>>`,
    ...all,
    '/** Every page. */',
    `pages(${parameters}): AsyncGenerator<Answer<${id}>, void, undefined>`
  ]
  return `${text}\n${name}: {\n${lines.join('\n').replace(/^/gm, '  ')}\n}`
}

function parametersOf({ operation, pathParameters, queryParameters, body }: ClientMethod): string {
  const id = quote(operation.operationId)
  const parts = pathParameters.map(
    ({ name }) => `${name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}: string`
  )
  if (body !== undefined) parts.push(`body${body.required ? '' : '?'}: Body<${id}>`)
  if (queryParameters.length > 0)
    parts.push(`query${queryParameters.some(({ required }) => required === true) ? '' : '?'}: Query<${id}>`)
  return [...parts, 'options?: CallOptions'].join(', ')
}

function rowOf({
  operation,
  verb,
  path,
  body,
  queryParameters,
  accept,
  page,
  idempotent,
  readOnly
}: ClientMethod): Record<string, unknown> {
  return {
    verb,
    path,
    ...(body !== undefined ? { input: body.mediaType.endsWith('json') ? 'json' : 'form' } : {}),
    ...(queryParameters.length > 0 ? { input: 'query' } : {}),
    ...(accept === undefined ? {} : { accept }),
    ...(idempotent ? { idempotent } : {}),
    ...(readOnly && verb === 'POST' ? { readOnly } : {}),
    ...(page === undefined ? {} : { page }),
    ...(operation['x-moves-position'] === true ? { movesPosition: true } : {})
  }
}
