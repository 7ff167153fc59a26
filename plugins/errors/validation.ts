import type { FastifyError, FastifyRequest } from 'fastify'

export interface FieldError {
  /** Where the field is: the part of the request, then the field, such as `body/upcoming_bills/0/amount`. */
  path: string
  message: string
}

type ValidationResult = NonNullable<FastifyError['validation']>[number]

const childOf = (result: ValidationResult): string | undefined => {
  const { missingProperty, additionalProperty, unevaluatedProperty } = result.params as Record<string, string | undefined>
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
      return (result.params as { multipleOf: number }).multipleOf === 0.01 ? 'must have at most two decimals' : (result.message ?? 'is invalid')
    default:
      return result.message ?? 'is invalid'
  }
}

/** Reads every field that failed from a validation error, each once with its first message. */
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

const textsWithNul = (path: string, value: unknown): FieldError[] => {
  if (typeof value === 'string') return value.includes('\0') ? [{ path, message: 'must not hold U+0000' }] : []
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]) => textsWithNul(`${path}/${escapePointer(name)}`, member))
}

/** The fields of a request with a NUL, which PostgreSQL cannot hold. */
export const findNuls = ({ params, query, body }: Pick<FastifyRequest, 'params' | 'query' | 'body'>): FieldError[] =>
  Object.entries({ params, query, body }).flatMap(([part, value]) => textsWithNul(part, value))
