import { invalidRequest } from './errors.ts'

/** A decoded form. Objects and arrays are both maps, because `a[0]` and `a[b]` look alike on the wire. */
export type FormValue = string | FormObject
export type FormObject = Map<string, FormValue>

const maxPairs = 1000
const maxDepth = 10
const maxKeyLength = 500

/**
 * Parses `application/x-www-form-urlencoded` text with Stripe's bracket notation (`a[b][0][c]=v`, `a[]=v`).
 * Pairs, depth and name lengths are bounded. It builds maps, so that no name can reach a prototype.
 * @throws StripeApiError 400
 */
export const parseForm = (text: string): FormObject => {
  const root: FormObject = new Map()
  let pairs = 0
  for (const [name, value] of new URLSearchParams(text)) {
    pairs += 1
    if (pairs > maxPairs) throw invalidRequest(`Too many parameters: at most ${maxPairs} are accepted.`)
    put(root, segmentsOf(name), refuseNul(value, name), name)
  }
  return root
}

/** The same tree from a JSON body, which the control routes accept as well. */
export const formFromJson = (value: unknown): FormObject => {
  const converted = convert(value, 0)
  if (typeof converted === 'string') throw invalidRequest('The body must be a JSON object.')
  return converted
}

/** A text that is equal for equal forms, whatever the order of their parameters. */
export const canonicalForm = (value: FormValue): string => {
  if (typeof value === 'string') return JSON.stringify(value)
  const parts = [...value].map(([key, child]) => `${JSON.stringify(key)}:${canonicalForm(child)}`)
  return `{${parts.sort().join(',')}}`
}

const convert = (value: unknown, depth: number): FormValue => {
  if (depth > maxDepth) throw invalidRequest(`The body is nested deeper than ${maxDepth} levels.`)
  if (value === null || value === undefined) return ''
  if (typeof value === 'object') {
    return new Map(Object.entries(value).map(([key, child]) => [refuseNul(key, key), convert(child, depth + 1)]))
  }
  if (typeof value === 'string') return refuseNul(value, 'body')
  return JSON.stringify(value)
}

const segmentsOf = (name: string): string[] => {
  const matched = name.length <= maxKeyLength ? /^([^[\]]+)((?:\[[^[\]]*\])*)$/.exec(refuseNul(name, 'name')) : null
  if (matched?.[1] === undefined) throw invalidRequest(`Invalid parameter name: ${name.slice(0, 80)}`)
  const inner = (matched[2] ?? '')
    .split('[')
    .slice(1)
    .map((part) => part.slice(0, -1))
  if (inner.length >= maxDepth) throw invalidRequest(`Parameters are nested deeper than ${maxDepth} levels.`)
  return [matched[1], ...inner]
}

const put = (root: FormObject, segments: string[], value: string, name: string): void => {
  let node = root
  segments.forEach((segment, position) => {
    const key = segment === '' ? String(node.size) : segment
    const present = node.get(key)
    if (position === segments.length - 1) {
      if (present instanceof Map) throw invalidRequest(`Invalid object: ${name}`, { param: name })
      node.set(key, value)
      return
    }
    if (typeof present === 'string') throw invalidRequest(`Invalid object: ${name}`, { param: name })
    const next: FormObject = present ?? new Map<string, FormValue>()
    node.set(key, next)
    node = next
  })
}

/** Refuses U+0000 with a 400, because PostgreSQL cannot store it. */
const refuseNul = (value: string, name: string): string => {
  if (value.includes('\u0000'))
    throw invalidRequest('A parameter contains a null character.', { param: name.replaceAll('\u0000', '') })
  return value
}
