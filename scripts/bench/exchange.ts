import { randomInt } from 'node:crypto'

/** One kind of request of the benchmark. */
export interface BenchCase {
  name: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  /** The requests, sent in turn. They use many accounts where requests to one would wait for each other. */
  requests: { path: string; body?: unknown }[]
  /** Whether each request has a new Idempotency-Key. */
  keyed?: boolean
}

/** A statement of the server, in a form that can be sent to another process. */
export interface RecordedStatement {
  text: string
  /** As text on the wire; null for null. */
  values: (string | null)[]
  /** The transaction of the exchange, also for `begin` and `commit`; undefined for a single statement. */
  transaction?: number
}

/** A request of the server to the bank, and the response. */
export interface RecordedCall {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body: string
  answer: string
}

/** Statements and calls that were in progress together. */
export interface Step {
  statements: RecordedStatement[]
  calls: RecordedCall[]
}

/** The work of the server for one request. */
export interface Exchange {
  status: number
  answer: string
  /** In sequence. */
  steps: Step[]
  /** The identifiers that differ in each recording. */
  fresh: string[]
}

export const isBegin = ({ text }: RecordedStatement): boolean => /^(?:begin|start transaction)\b/.test(text)
export const isEnd = ({ text }: RecordedStatement): boolean => /^(?:commit|rollback)$/.test(text)

/** Matches possible identifiers and lock numbers. Longer texts are ciphertexts, which may repeat. */
const identifiers = /\b(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9]{16,64})\b|(?<=_)[A-Za-z0-9]{22}\b/g

const sentIn = ({ statements, calls }: Step): (string | null)[] => [
  ...statements.flatMap(({ values }) => values),
  ...calls.map(({ body }) => body)
]

const identifiersOf = (steps: Step[]): string[] =>
  steps.flatMap(sentIn).flatMap((text) => text?.match(identifiers) ?? [])

/** The identifiers of one recording that another recording of the same request does not have. */
export const findFresh = (steps: Step[], others: Step[]): string[] => {
  const kept = new Set(identifiersOf(others))
  return [...new Set(identifiersOf(steps))].filter((identifier) => !kept.has(identifier))
}

const digits = '0123456789'
const alphabets = [digits, `${digits}abcdef`, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789']

const randomLike = (text: string): string => {
  const alphabet =
    alphabets.find((letters) => [...text].every((letter) => letter === '-' || letters.includes(letter))) ?? ''
  const random = [...text]
    .map((letter) => (letter === '-' ? letter : alphabet[Math.floor(Math.random() * alphabet.length)]))
    .join('')
  // Otherwise a number could exceed its range.
  return alphabet === digits ? `1${random.slice(1)}` : random
}

/** Returns a new idempotency key. */
export const freshKey = (): string => `bench_${randomLike('Z'.repeat(12))}${String(randomInt(1e10)).padStart(10, '0')}`

/** A recorded value, split into constant parts (even indexes) and parts that are new each time. */
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

type Place = string[]

const placesOf = (answer: unknown, fresh: Set<string>, at: Place = []): { place: Place; identifier: string }[] => {
  if (typeof answer === 'string') return fresh.has(answer) ? [{ place: at, identifier: answer }] : []
  if (typeof answer !== 'object' || answer === null) return []
  return Object.entries(answer).flatMap(([key, member]) => placesOf(member, fresh, [...at, key]))
}

const at = (answer: unknown, place: Place): unknown =>
  place.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], answer)

/** One replay of a recorded exchange. */
export interface Renewal {
  /** Returns the recorded value with new identifiers where they must be unique. */
  renew: <Value extends string | null>(value: Value) => Value
  /** Uses the identifiers in this response of the bank from now on. @throws Error when it has none. */
  take: (call: RecordedCall, answer: unknown) => void
}

/** Creates a renewal for each replay of a recorded exchange. */
export const renewer = ({ steps, fresh }: Exchange): (() => Renewal) => {
  const known = new Set(fresh)
  const cuts = new Map<string, string[]>()
  const given = new Map(
    steps.flatMap(({ calls }) => calls).map((call) => [call, placesOf(JSON.parse(call.answer), known)])
  )
  return () => {
    const renewed = new Map<string, string>()
    const renewIdentifier = (identifier: string): string => {
      const before = renewed.get(identifier)
      if (before !== undefined) return before
      const after = randomLike(identifier)
      renewed.set(identifier, after)
      return after
    }
    return {
      renew<Value extends string | null>(value: Value) {
        if (value === null || value.length < 16) return value
        const parts = cuts.get(value) ?? cut(value, known)
        cuts.set(value, parts)
        return (
          parts.length === 1
            ? value
            : parts.map((part, index) => (index % 2 === 0 ? part : renewIdentifier(part))).join('')
        ) as Value
      },
      take(call, answer) {
        for (const { place, identifier } of given.get(call) ?? []) {
          const now = at(answer, place)
          if (typeof now !== 'string') throw new Error(`The bank returned no ${place.join('.')} at ${call.path}.`)
          renewed.set(identifier, now)
        }
      }
    }
  }
}

const literal = (text: string): string =>
  `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\072')}'`

/** The same for pgbench: an expression whose changing parts come from its variable `r`. Colons are escaped, because pgbench reads a colon as the start of a variable. */
export const pgbenchExpression = (value: string | null, { fresh }: Exchange): string => {
  if (value === null) return 'null'
  const parts = cut(value, new Set(fresh))
  const number = (identifier = ''): string => `:r::bigint + ${fresh.indexOf(identifier)}`
  // Such as the number of an advisory lock.
  if (parts.length === 3 && /^-?\d+$/.test(value)) return `(${parts[0]}(${number(parts[1])}))`
  return `(${parts.map((part, index) => (index % 2 === 0 ? literal(part) : `(${number(part)})::text`)).join(' || ')})`
}
