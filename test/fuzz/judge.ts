import type { ValidateFunction } from 'ajv'
import type { Operation } from '../../plugins/operations/table.ts'
import { document, resolve } from '../architecture/document.ts'
import { compileAt, type FuzzRequest } from './requests.ts'
import { canary } from './strange-text.ts'

export interface FuzzResponse {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

interface Response {
  $ref?: string
  content?: Record<string, object>
  headers?: Record<string, { $ref: string }>
}

/** A failing upstream gives 502 or 503 with a documented code. Every other 5xx is a fault of the server. */
const isExpected = (operation: Operation, { status, text }: FuzzResponse, described: Response | undefined): boolean => {
  if (
    operation.extensions?.['x-upstream'] === undefined ||
    (status !== 502 && status !== 503) ||
    described === undefined
  )
    return false
  const code = /"error":"(\w+)"/.exec(text)?.[1]
  return code !== undefined && JSON.stringify(resolve<Response>(described)).includes(code)
}

/** Leaked internals: stack frames, file paths, messages of the database. */
const inside =
  /\n\s+at .+:\d+:\d+|node_modules\/|\/plugins\/\w|syntax error at or near|violates \w+(-\w+)? constraint|relation "\w+"|\bSQLSTATE\b|invalid input syntax|out of range for type/

const validators = new Map<string, ValidateFunction>()

const validatorOf = (operation: Operation, status: number, given: Response, mediaType: string): ValidateFunction => {
  const place =
    given.$ref === undefined
      ? ['paths', operation.path, operation.method.toLowerCase(), 'responses', String(status)]
      : given.$ref.slice(2).split('/')
  const key = [...place, mediaType].join(' ')
  const known = validators.get(key) ?? compileAt(...place, 'content', mediaType, 'schema')
  validators.set(key, known)
  return known
}

const bodyFaults = (operation: Operation, response: FuzzResponse, given: Response): string[] => {
  const { content } = resolve<Response>(given)
  if (content === undefined) return response.text === '' ? [] : [`undocumented body: ${response.text.slice(0, 200)}`]
  const mediaType = String(response.headers['content-type'] ?? '').split(';')[0] ?? ''
  if (content[mediaType] === undefined)
    return [`content type ${mediaType || 'none'}, documented: ${Object.keys(content).join(', ')}`]
  if (!mediaType.includes('json') || !('schema' in content[mediaType])) return []
  try {
    const validate = validatorOf(operation, response.status, given, mediaType)
    return validate(JSON.parse(response.text))
      ? []
      : [
          `${response.status} violates its schema: ${JSON.stringify(validate.errors?.[0])} in ${response.text.slice(0, 400)}`
        ]
  } catch (error) {
    return [`${String(error)} in ${response.text.slice(0, 200)}`]
  }
}

const headerFaults = (response: FuzzResponse, given: Response): string[] => {
  const missing = Object.entries(resolve<Response>(given).headers ?? {})
    .filter(
      ([name, header]) =>
        resolve<{ required?: boolean }>(header).required === true && response.headers[name.toLowerCase()] === undefined
    )
    .map(([name]) => name)
  return missing.length === 0 ? [] : [`${response.status} lacks ${missing.join(', ')}`]
}

/** The faults of a response; each begins with its kind. */
export const faultsOf = (
  operation: Operation,
  request: FuzzRequest,
  response: FuzzResponse,
  admitted: boolean,
  secrets: ReadonlySet<string>,
  foreign: boolean
): string[] => {
  const faults: string[] = []
  const described = (document.paths[operation.path]?.[operation.method.toLowerCase()]?.responses ?? {})[
    String(response.status)
  ] as Response | undefined
  if (response.status >= 500 && !isExpected(operation, response, described))
    faults.push(`server error ${response.status}: ${response.text.slice(0, 300)}`)
  if (described === undefined) faults.push(`undocumented status ${response.status}: ${response.text.slice(0, 300)}`)
  else faults.push(...bodyFaults(operation, response, described), ...headerFaults(response, described))
  if (request.mustRefuse && admitted && response.status < 400)
    faults.push(`accepted a body that its schema rejects: ${response.status}`)
  const sent = `${request.path} ${request.body ?? ''}`
  if (foreign && response.text.toLowerCase().includes(canary) && !sent.includes(canary))
    faults.push(`leaks text of another tenant: ${response.text.slice(0, 400)}`)
  const leaked = [...secrets].find((secret) => response.text.includes(secret) && !sent.includes(secret))
  if (leaked !== undefined) faults.push('leaks a secret of another tenant or of the server')
  const trace = inside.exec(response.text)?.[0]
  if (trace !== undefined && !sent.includes(trace) && operation.group !== 'documents')
    faults.push(`leaks internals: ${trace}`)
  return faults
}
