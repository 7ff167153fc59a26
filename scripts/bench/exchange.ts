import { randomInt } from 'node:crypto'

/** One kind of request of the benchmark, as clients would send it. */
export interface BenchCase {
  name: string
  method: 'GET' | 'POST'
  headers: Record<string, string>
  /** What is asked, in turn: of many accounts where requests about one would wait for each other. */
  requests: { path: string; body?: unknown }[]
  /** Whether each request has an Idempotency-Key of its own. */
  keyed?: boolean
}

/** A statement as the server sent it, in a form that survives being sent to another process. */
export interface RecordedStatement {
  text: string
  /** As text, as they go over the wire; null for null. */
  values: (string | null)[]
  /** Which of the exchange's transactions it belongs to, as `begin` and `commit` themselves do; undefined for one that is alone. */
  transaction?: number
}

/** A request as the bank got it from the server, and what the bank answered. */
export interface RecordedCall {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body: string
  answer: string
}

/** What was under way together. */
export interface Step {
  statements: RecordedStatement[]
  calls: RecordedCall[]
}

/** What the server did to answer one request. */
export interface Exchange {
  status: number
  answer: string
  /** They followed one another. */
  steps: Step[]
  /** The identifiers in what it sent that are different each time. */
  fresh: string[]
}

export const isBegin = ({ text }: RecordedStatement): boolean => /^(?:begin|start transaction)\b/.test(text)
export const isEnd = ({ text }: RecordedStatement): boolean => /^(?:commit|rollback)$/.test(text)

/** What can be an identifier or the number of a lock; longer texts are ciphers, which nobody minds being the same. */
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
  // Else a number could become a larger one than there can be.
  return alphabet === digits ? `1${random.slice(1)}` : random
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

type Place = string[]

const placesOf = (answer: unknown, fresh: Set<string>, at: Place = []): { place: Place; identifier: string }[] => {
  if (typeof answer === 'string') return fresh.has(answer) ? [{ place: at, identifier: answer }] : []
  if (typeof answer !== 'object' || answer === null) return []
  return Object.entries(answer).flatMap(([key, member]) => placesOf(member, fresh, [...at, key]))
}

const at = (answer: unknown, place: Place): unknown =>
  place.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], answer)

/** One time of sending a recorded exchange again. */
export interface Renewal {
  /** What is sent in place of what was recorded: the same with new identifiers where they can be stored only once. */
  renew: <Value extends string | null>(value: Value) => Value
  /** Takes, for what is sent from now on, the identifiers that the bank gave this time. @throws Error when it gave none. */
  take: (call: RecordedCall, answer: unknown) => void
}

/** Makes a renewal for each time that a recorded exchange is sent again. */
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
          if (typeof now !== 'string') throw new Error(`The bank gave no ${place.join('.')} at ${call.path}.`)
          renewed.set(identifier, now)
        }
      }
    }
  }
}

const literal = (text: string): string =>
  `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\072')}'`

/** The same for pgbench: an expression whose changing parts come from its variable `r`. Colons are escaped, since pgbench takes what follows one for a variable. */
export const pgbenchExpression = (value: string | null, { fresh }: Exchange): string => {
  if (value === null) return 'null'
  const parts = cut(value, new Set(fresh))
  return `(${parts.map((part, index) => (index % 2 === 0 ? literal(part) : `(:r::bigint + ${fresh.indexOf(part)})::text`)).join(' || ')})`
}
