import type { FastifyRequest } from 'fastify'
import { escapePointer, mostNamed, type FieldError } from './validation.ts'

const longestPath = 1_000

const faultOf = (text: string): string | undefined => {
  if (text.includes('\0')) return 'must not contain the character U+0000'
  return /\p{Surrogate}/u.test(text) ? 'must not contain half of a surrogate pair' : undefined
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
