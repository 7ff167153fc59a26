import type { CallOptions, MethodEntry } from './types.ts'

/** A call, ready to send. Everything but the credential is the same for every attempt. */
export interface PreparedRequest {
  entry: MethodEntry
  /** Path and query. */
  target: string
  headers: Record<string, string>
  body: string | undefined
  options: CallOptions
}

const pathParameter = /\{\w+\}/g

/** The number of path parameters, which come before a method's input. */
export const countPathParameters = ({ path }: MethodEntry): number => path.match(pathParameter)?.length ?? 0

const segment = (value: unknown, path: string): string => {
  // An empty value or dots would change the path to another operation.
  if ((typeof value !== 'string' && typeof value !== 'number') || /^\.{0,2}$/.test(String(value))) {
    throw new TypeError(`${path} needs a non-empty string for each path parameter; got ${JSON.stringify(value)}.`)
  }
  return encodeURIComponent(String(value))
}

type Scalar = string | number | boolean | null | undefined

const pairs = (input: unknown): [string, string][] =>
  Object.entries((input ?? {}) as Record<string, Scalar | Scalar[]>).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value])
      .filter((item) => item !== undefined && item !== null)
      .map((item): [string, string] => [name, String(item)])
  )

/** A key of 128 random bits. Browsers offer randomUUID only to pages served over TLS. */
const newIdempotencyKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const bodyOf = ({ input }: MethodEntry, value: unknown): string | undefined => {
  if (value === undefined || input === undefined || input === 'query') return undefined
  return input === 'json' ? JSON.stringify(value) : new URLSearchParams(pairs(value)).toString()
}

/** Header names in lower case. Two spellings of one header would be sent as one header with both values. */
const inLowerCase = (headers: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Headers for all calls, without an idempotency key: a shared key would turn every call into a replay of the first. */
const shared = (headers: Record<string, string>): Record<string, string> => {
  const { 'idempotency-key': _ofOneCall, ...rest } = inLowerCase(headers)
  return rest
}

/**
 * Turns a method's arguments into a request. An idempotent POST gets its key here, the same for all attempts.
 * @throws TypeError when a path parameter is missing or invalid
 */
export const prepareRequest = (
  entry: MethodEntry,
  given: readonly unknown[],
  common: Record<string, string> = {}
): PreparedRequest => {
  const rest = given.slice(countPathParameters(entry))
  const [input, options = {}] = (entry.input === undefined ? [undefined, rest[0]] : rest) as [
    unknown,
    CallOptions | undefined
  ]
  let next = 0
  const path = entry.path.replace(pathParameter, () => segment(given[next++], entry.path))
  const query = entry.input === 'query' ? new URLSearchParams(pairs(input)).toString() : ''
  const body = bodyOf(entry, input)
  const key = options.idempotencyKey ?? (entry.idempotent === true ? newIdempotencyKey() : undefined)
  return {
    entry,
    target: query === '' ? path : `${path}?${query}`,
    headers: {
      accept: entry.accept ?? 'application/json',
      ...shared(common),
      ...(body === undefined
        ? {}
        : { 'content-type': entry.input === 'form' ? 'application/x-www-form-urlencoded' : 'application/json' }),
      ...(key === undefined ? {} : { 'idempotency-key': key }),
      ...(options.ifMatch === undefined ? {} : { 'if-match': String(options.ifMatch) }),
      ...inLowerCase(options.headers)
    },
    body,
    options
  }
}
