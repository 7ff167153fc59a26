import type { FastifyError, FastifyRequest } from 'fastify'

export interface FieldError {
  /** Location of the field: the part of the request, then the path, such as `body/upcoming_bills/0/amount`. */
  path: string
  message: string
}

type ValidationResult = NonNullable<FastifyError['validation']>[number]

const childOf = (result: ValidationResult): string | undefined => {
  const { missingProperty, additionalProperty, unevaluatedProperty } = result.params as Record<
    string,
    string | undefined
  >
  return missingProperty ?? additionalProperty ?? unevaluatedProperty
}

const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

const messageOf = (result: ValidationResult): string => {
  switch (result.keyword) {
    case 'required':
      return 'is required'
    case 'additionalProperties':
    case 'unevaluatedProperties':
      return 'is not a field of this request'
    case 'enum':
      return `must be one of ${(result.params as { allowedValues: unknown[] }).allowedValues.map(String).join(', ')}`
    case 'multipleOf':
      return (result.params as { multipleOf: number }).multipleOf === 0.01
        ? 'must have at most two decimals'
        : (result.message ?? 'is invalid')
    default:
      return result.message ?? 'is invalid'
  }
}

/** Returns every invalid field of a validation error, each once with its first message. */
export const readFieldErrors = (error: FastifyError): FieldError[] => {
  const context = (error as { validationContext?: string }).validationContext ?? 'body'
  const part = context === 'querystring' ? 'query' : context
  const fields = new Map<string, FieldError>()
  for (const result of error.validation ?? []) {
    const child = childOf(result)
    const path = `${part}${result.instancePath}${child === undefined ? '' : `/${escapePointer(child)}`}`
    if (!fields.has(path)) fields.set(path, { path, message: messageOf(result) })
  }
  return [...fields.values()]
}

const mostNamed = 20
const longestPath = 1_000

/** Finds the fields with NUL in their value or name, which PostgreSQL cannot store. Names the whole request when no field has one. */
export const findNuls = ({ params, query, body }: Pick<FastifyRequest, 'params' | 'query' | 'body'>): FieldError[] => {
  const paths = new Set<string>()
  // No recursion: deeply nested JSON would overflow the stack.
  const open: [path: string, value: unknown][] = [
    ['body', body],
    ['query', query],
    ['params', params]
  ]
  for (let next = open.pop(); next !== undefined && paths.size < mostNamed; next = open.pop()) {
    const [path, value] = next
    if (typeof value === 'string' && value.includes('\0')) paths.add(path)
    if (typeof value !== 'object' || value === null) continue
    for (const [name, member] of Object.entries(value)) {
      const whole = `${path}/${escapePointer(name)}`
      // A path that is too long is replaced by the path of its parent.
      const child = whole.length > longestPath ? path : whole
      if (!name.includes('\0')) open.push([child, member])
      else if (paths.size < mostNamed) paths.add(child.replaceAll('\0', '\ufffd'))
    }
  }
  return (paths.size === 0 ? ['request'] : [...paths]).map((path) => ({ path, message: 'must not hold U+0000' }))
}
