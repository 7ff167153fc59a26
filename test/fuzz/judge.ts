import type { ValidateFunction } from 'ajv'
import type { Operation } from '../../plugins/operations/table.ts'
import { document, resolve } from '../architecture/document.ts'
import { compileAt, type FuzzRequest } from './requests.ts'
import { canary } from './strange-text.ts'

export interface FuzzAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  text: string
}

interface Response {
  $ref?: string
  content?: Record<string, object>
  headers?: Record<string, { $ref: string }>
}

/** What an upstream cannot tell is a 502 or 503 with a code that the specification names for it; every other 5xx is ours. */
const isExpected = (operation: Operation, { status, text }: FuzzAnswer, described: Response | undefined): boolean => {
  if (
    operation.extensions?.['x-upstream'] === undefined ||
    (status !== 502 && status !== 503) ||
    described === undefined
  )
    return false
  const code = /"error":"(\w+)"/.exec(text)?.[1]
  return code !== undefined && JSON.stringify(resolve<Response>(described)).includes(code)
}

/** Traces of the inside: stack frames, places of files, words of the database. */
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

const bodyFaults = (operation: Operation, answer: FuzzAnswer, given: Response): string[] => {
  const { content } = resolve<Response>(given)
  if (content === undefined)
    return answer.text === '' ? [] : [`a body where none is described: ${answer.text.slice(0, 200)}`]
  const mediaType = String(answer.headers['content-type'] ?? '').split(';')[0] ?? ''
  if (content[mediaType] === undefined)
    return [`content type ${mediaType || 'none'}, described: ${Object.keys(content).join(', ')}`]
  if (!mediaType.includes('json') || !('schema' in content[mediaType])) return []
  try {
    const validate = validatorOf(operation, answer.status, given, mediaType)
    return validate(JSON.parse(answer.text))
      ? []
      : [`${answer.status} against its schema: ${JSON.stringify(validate.errors?.[0])} in ${answer.text.slice(0, 400)}`]
  } catch (error) {
    return [`${String(error)} in ${answer.text.slice(0, 200)}`]
  }
}

const headerFaults = (answer: FuzzAnswer, given: Response): string[] => {
  const missing = Object.entries(resolve<Response>(given).headers ?? {})
    .filter(
      ([name, header]) =>
        resolve<{ required?: boolean }>(header).required === true && answer.headers[name.toLowerCase()] === undefined
    )
    .map(([name]) => name)
  return missing.length === 0 ? [] : [`${answer.status} lacks ${missing.join(', ')}`]
}

/** What an answer must hold and does not; each fault begins with its kind. */
export const faultsOf = (
  operation: Operation,
  request: FuzzRequest,
  answer: FuzzAnswer,
  admitted: boolean,
  secrets: ReadonlySet<string>,
  foreign: boolean
): string[] => {
  const faults: string[] = []
  const described = (document.paths[operation.path]?.[operation.method.toLowerCase()]?.responses ?? {})[
    String(answer.status)
  ] as Response | undefined
  if (answer.status >= 500 && !isExpected(operation, answer, described))
    faults.push(`server error ${answer.status}: ${answer.text.slice(0, 300)}`)
  if (described === undefined) faults.push(`status ${answer.status} is not described: ${answer.text.slice(0, 300)}`)
  else faults.push(...bodyFaults(operation, answer, described), ...headerFaults(answer, described))
  if (request.mustRefuse && admitted && answer.status < 400)
    faults.push(`took a body that its schema refuses: ${answer.status}`)
  const sent = `${request.path} ${request.body ?? ''}`
  if (foreign && answer.text.toLowerCase().includes(canary) && !sent.includes(canary))
    faults.push(`another tenant's text: ${answer.text.slice(0, 400)}`)
  const told = [...secrets].find((secret) => answer.text.includes(secret) && !sent.includes(secret))
  if (told !== undefined) faults.push('a secret of another tenant or of the server')
  const trace = inside.exec(answer.text)?.[0]
  if (trace !== undefined && !sent.includes(trace) && operation.group !== 'documents')
    faults.push(`the inside shows: ${trace}`)
  return faults
}
