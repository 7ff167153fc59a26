import type { FastifyRequest } from 'fastify'
import { escapePointer, mostNamed, type FieldError } from './validation.ts'

/** How many levels deep objects and arrays of a body may be nested. */
export const mostLevels = 32

const longestPath = 1_000

const [quote, backslash] = [0x22, 0x5c]
const [openArray, closeArray, openObject, closeObject] = [0x5b, 0x5d, 0x7b, 0x7d]

/** Whether JSON is nested more than `mostLevels` deep. Counts brackets outside of texts; whether they match is for the parser to find out. */
export const isTooDeep = (json: string): boolean => {
  let depth = 0
  let isInText = false
  for (let index = 0; index < json.length; index++) {
    const code = json.charCodeAt(index)
    if (isInText && code === backslash) index += 1
    else if (code === quote) isInText = !isInText
    else if (!isInText && (code === openArray || code === openObject)) depth += 1
    else if (!isInText && (code === closeArray || code === closeObject)) depth -= 1
    if (depth > mostLevels) return true
  }
  return false
}

const faultOf = (text: string): string | undefined => {
  if (text.includes('\0')) return 'must not hold U+0000'
  return /\p{Surrogate}/u.test(text) ? 'must not hold half of a surrogate pair' : undefined
}

/** Finds fields whose value or name is text that no database can store: U+0000 and halves of surrogate pairs. Names at most `mostNamed`. */
export const findTextFaults = ({
  params,
  query,
  body
}: Pick<FastifyRequest, 'params' | 'query' | 'body'>): FieldError[] => {
  const faults = new Map<string, string>()
  const open: [path: string, value: unknown][] = [
    ['body', body],
    ['query', query],
    ['params', params]
  ]
  for (let next = open.pop(); next !== undefined && faults.size < mostNamed; next = open.pop()) {
    const [path, value] = next
    const fault = typeof value === 'string' ? faultOf(value) : undefined
    if (fault !== undefined) faults.set(path, fault)
    if (typeof value !== 'object' || value === null) continue
    for (const [name, member] of Object.entries(value)) {
      const whole = `${path}/${escapePointer(name)}`
      // A path that is too long is replaced by the path of its parent.
      const child = whole.length > longestPath ? path : whole
      const faultOfName = faultOf(name)
      if (faultOfName === undefined) open.push([child, member])
      else faults.set(child.replaceAll(/\0|\p{Surrogate}/gu, '\ufffd'), faultOfName)
    }
  }
  return [...faults].slice(0, mostNamed).map(([path, message]) => ({ path, message }))
}
