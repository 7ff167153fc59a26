import { randomInt } from 'node:crypto'

/** One request of the benchmark, as a client would send it. */
export interface BenchCase {
  name: string
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: unknown
  /** Whether each request has an Idempotency-Key of its own. */
  keyed?: boolean
}

/** A statement as the server sent it, in a form that survives being sent to another process. */
export interface RecordedStatement {
  text: string
  /** As text, as they go over the wire; null for null. */
  values: (string | null)[]
}

/** What the server did to answer one request. */
export interface Exchange {
  status: number
  answer: string
  /** Statements that were under way together are in one step; the steps followed one another. */
  steps: { statements: RecordedStatement[]; inTransaction: boolean }[]
  /** How many requests went out to other services. */
  outbound: number
  /** The identifiers in its values that are different each time. */
  fresh: string[]
}

/** What can be an identifier or the number of a lock; longer texts are ciphers, which nobody minds being the same. */
const identifiers = /\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9]{16,64})\b|(?<=_)[A-Za-z0-9]{22}\b/g

const identifiersOf = ({ steps }: Pick<Exchange, 'steps'>): string[] =>
  steps.flatMap(({ statements }) => statements.flatMap(({ values }) => values.flatMap((value) => value?.match(identifiers) ?? [])))

/** The identifiers of one recording that another recording of the same request does not have. */
export const findFresh = (exchange: Pick<Exchange, 'steps'>, other: Pick<Exchange, 'steps'>): string[] => {
  const kept = new Set(identifiersOf(other))
  return [...new Set(identifiersOf(exchange))].filter((identifier) => !kept.has(identifier))
}

const alphabets = ['0123456789', '0123456789abcdef', 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']

const randomLike = (text: string): string => {
  const alphabet = alphabets.find((letters) => [...text].every((letter) => letter === '-' || letters.includes(letter))) ?? ''
  // The first one stays, so that a number does not become a larger one than there can be.
  return [...text].map((letter, index) => (letter === '-' || index === 0 ? letter : alphabet[Math.floor(Math.random() * alphabet.length)])).join('')
}

/** An idempotency key that no request had before. */
export const freshKey = (): string => `bench_${randomLike('Z'.repeat(12))}${String(randomInt(1e10)).padStart(10, '0')}`

/** A recorded value cut into what stays and what is new each time: even places stay. */
const cut = (value: string, fresh: Set<string>): string[] => {
  const parts = ['']
  let end = 0
  for (const match of value.matchAll(identifiers)) {
    if (!fresh.has(match[0])) continue
    parts[parts.length - 1] += value.slice(end, match.index)
    parts.push(match[0], '')
    end = match.index + match[0].length
  }
  parts[parts.length - 1] += value.slice(end)
  return parts
}

/** Makes, for each time that a recorded exchange is sent again, a function that puts new identifiers in the places of those that can be stored only once. */
export const renewer = ({ fresh }: Exchange): (() => (value: string | null) => string | null) => {
  const known = new Set(fresh)
  const cuts = new Map<string, string[]>()
  return () => {
    const renewed = new Map<string, string>()
    const renew = (identifier: string): string => {
      const before = renewed.get(identifier)
      if (before !== undefined) return before
      const after = randomLike(identifier)
      renewed.set(identifier, after)
      return after
    }
    return (value) => {
      if (value === null || value.length < 16) return value
      const parts = cuts.get(value) ?? cut(value, known)
      cuts.set(value, parts)
      return parts.length === 1 ? value : parts.map((part, index) => (index % 2 === 0 ? part : renew(part))).join('')
    }
  }
}

const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\072')}'`

/** The same for pgbench: an expression whose changing parts come from its variable `r`. Colons are escaped, since pgbench takes what follows one for a variable. */
export const pgbenchExpression = (value: string | null, { fresh }: Exchange): string => {
  if (value === null) return 'null'
  const parts = cut(value, new Set(fresh))
  return `(${parts.map((part, index) => (index % 2 === 0 ? literal(part) : `(:r::bigint + ${fresh.indexOf(part)})::text`)).join(' || ')})`
}
