import type { FastifyError } from 'fastify'

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

export const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

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

/** The largest number of fields that one problem names. */
export const mostNamed = 20

/** Returns the invalid fields of a validation error, each once with its first message. */
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
