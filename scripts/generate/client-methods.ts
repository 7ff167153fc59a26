import { generatedHeader } from './header.ts'
import { clientMethods, type ClientMethod } from './methods.ts'
import type { Bundle } from './model.ts'
import { literal, quote } from './print.ts'

/**
 * The client's methods: an interface with their signatures, and a table with their requests.
 * @param clientPath relative path from the output folder to client/
 */
export const printClientMethods = (bundle: Bundle, clientPath: string): string => {
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
  return `${generatedHeader}
import type { ${used.join(', ')} } from '${clientPath}/types.ts'

/** Every operation of the API as \`resource.method\`. */
export interface AtlasResources {
${body}
}

/** The request of each method. */
export const methods = ${literal(table)} as const satisfies MethodTable
`
}

const byResource = (methods: ClientMethod[]): [resource: string, methods: ClientMethod[]][] => {
  const resources = new Map<string, ClientMethod[]>()
  for (const method of methods) resources.set(method.resource, [...(resources.get(method.resource) ?? []), method])
  return [...resources].sort(([a], [b]) => (a < b ? -1 : 1))
}

const printSignature = (method: ClientMethod): string => {
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

const parametersOf = ({ operation, pathParameters, queryParameters, body }: ClientMethod): string => {
  const id = quote(operation.operationId)
  const parts = pathParameters.map(
    ({ name }) => `${name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase())}: string`
  )
  if (body !== undefined) parts.push(`body${body.required ? '' : '?'}: Body<${id}>`)
  if (queryParameters.length > 0)
    parts.push(`query${queryParameters.some(({ required }) => required === true) ? '' : '?'}: Query<${id}>`)
  return [...parts, 'options?: CallOptions'].join(', ')
}

const rowOf = ({
  operation,
  verb,
  path,
  body,
  queryParameters,
  accept,
  page,
  idempotent,
  readOnly
}: ClientMethod): Record<string, unknown> => ({
  verb,
  path,
  ...(body !== undefined ? { input: body.mediaType.endsWith('json') ? 'json' : 'form' } : {}),
  ...(queryParameters.length > 0 ? { input: 'query' } : {}),
  ...(accept === undefined ? {} : { accept }),
  ...(idempotent ? { idempotent } : {}),
  ...(readOnly && verb === 'POST' ? { readOnly } : {}),
  ...(page === undefined ? {} : { page }),
  ...(operation['x-moves-position'] === true ? { movesPosition: true } : {})
})
