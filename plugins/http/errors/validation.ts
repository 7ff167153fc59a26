import type { FastifyError } from 'fastify'
import { sentenceOf, type Fault } from './sentences.ts'

export interface FieldError {
  /** Location of the field: the part of the request, then the path, such as `body/upcoming_bills/0/amount`. */
  path: string
  /** What is wrong, as the rest of a sentence that begins with the path. */
  message: string
}

/** The largest number of fields that one problem names. */
export const mostNamed = 20

/** Longer paths, which contain names from the request, are cut. */
const longestPath = 300

export const escapePointer = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')

/** Cuts text from a request to a length that a response may repeat. */
export const cut = (text: string, longest: number): string =>
  text.length <= longest ? text : `${text.slice(0, longest).replace(/\p{Surrogate}$/u, '')}…`

const childOf = ({ params }: Fault): string | undefined => {
  const { missingProperty, additionalProperty } = params as Record<string, string | undefined>
  return missingProperty ?? additionalProperty
}

const pathOf = (fault: Fault): string => {
  const child = childOf(fault)
  const whole = `${fault.part}${fault.instancePath}${child === undefined ? '' : `/${escapePointer(child)}`}`
  return cut(whole, longestPath)
}

/** Of several faults of a field, the one that explains most: its format says more than its length. An empty text is just that. */
const weightOf = ({ keyword, params }: Fault): number => {
  if (keyword === 'format') return 3
  if (keyword === 'minLength' && (params as { limit: number }).limit === 1) return 2
  return keyword === 'pattern' ? 1 : 0
}

const parts: Record<string, Fault['part']> = { querystring: 'query', params: 'params', headers: 'headers' }

/**
 * Returns the invalid fields of a validation error, each once with the sentence that explains most, and how many there are. Has sentences for the first
 * `mostNamed` only.
 * @param isForm whether the body was sent as text, and not as JSON
 */
export const readFieldErrors = (error: FastifyError, isForm: boolean): { errors: FieldError[]; total: number } => {
  const part = parts[(error as { validationContext?: string }).validationContext ?? ''] ?? 'body'
  const isText = isForm || part !== 'body'
  const fields = new Map<string, Fault>()
  for (const result of error.validation ?? []) {
    const fault: Fault = { ...result, part, isText }
    const path = pathOf(fault)
    const other = fields.get(path)
    if (other === undefined || weightOf(fault) > weightOf(other)) fields.set(path, fault)
  }
  const errors = [...fields].slice(0, mostNamed).map(([path, fault]) => ({ path, message: sentenceOf(fault) }))
  return { errors, total: fields.size }
}
