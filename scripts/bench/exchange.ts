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

/** What the server did to answer one request when nothing else was going on. */
export interface Exchange {
  status: number
  answer: string
  /** Statements that were under way together are in one step; the steps followed one another. */
  steps: { statements: RecordedStatement[]; inTransaction: boolean }[]
  /** How many requests went out to other services. */
  outbound: number
}

const fresh = /\b(evt|bench)_[A-Za-z0-9]{22}\b/g
const freshLock = /"key_lock":"-?\d+"/g
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

const randomText = (): string => {
  let text = ''
  for (let i = 0; i < 22; i++) text += alphabet[Math.floor(Math.random() * alphabet.length)]
  return text
}

/** An idempotency key that is recognised in recorded statements. */
export const freshKey = (): string => `bench_${randomText()}`

/** A recorded value with new identifiers in place of those that can be stored only once. */
export const refreshed = (value: string | null): string | null =>
  value === null || value.length < 26
    ? value
    : value
        .replace(fresh, (_match, prefix: string) => `${prefix}_${randomText()}`)
        .replace(freshLock, () => `"key_lock":"${Math.floor(Math.random() * Number.MAX_SAFE_INTEGER)}"`)

const literal = (text: string): string => `E'${text.replaceAll('\\', '\\\\').replaceAll("'", "''").replaceAll(':', '\\072')}'`

/** The same for pgbench: an expression whose changing parts are its variable `r`. Colons are escaped, since pgbench takes what follows one for a variable. */
export const pgbenchExpression = (value: string | null): string => {
  if (value === null) return 'null'
  const parts = value.split(/(?<=\b(?:evt|bench)_)[A-Za-z0-9]{22}\b|(?<="key_lock":")-?\d+(?=")/).map(literal)
  return parts.length === 1 ? (parts[0] as string) : `(${parts.join(' || :r::text || ')})`
}
