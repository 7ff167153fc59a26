import type { CallOptions, MethodEntry } from './types.ts'

/** One call, ready to be sent as often as it takes; everything but the credential is the same at every attempt. */
export interface PreparedRequest {
  entry: MethodEntry
  /** From the server's root, with the query. */
  target: string
  headers: Record<string, string>
  body: string | undefined
  options: CallOptions
}

const pathParameter = /\{\w+\}/g

/** How many path parameters come before a method's input. */
export const countPathParameters = ({ path }: MethodEntry): number => path.match(pathParameter)?.length ?? 0

const segment = (value: unknown, path: string): string => {
  // An empty value or dots would lead to another operation.
  if ((typeof value !== 'string' && typeof value !== 'number') || /^\.{0,2}$/.test(String(value))) {
    throw new TypeError(`${path} needs a text for each of its parameters, and not ${JSON.stringify(value)}.`)
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

/** A key of 128 random bits. Not randomUUID, which browsers keep from pages without TLS. */
const newIdempotencyKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')

const bodyOf = ({ input }: MethodEntry, value: unknown): string | undefined => {
  if (value === undefined || input === undefined || input === 'query') return undefined
  return input === 'json' ? JSON.stringify(value) : new URLSearchParams(pairs(value)).toString()
}

/** Names in lower case, as everything here looks for them: the same header twice would go out as one with both values. */
const inLowerCase = (headers: Record<string, string> = {}): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** What every call sends; a key that all of them share would make the server take each for the first one. */
const shared = (headers: Record<string, string>): Record<string, string> => {
  const { 'idempotency-key': _ofOneCall, ...rest } = inLowerCase(headers)
  return rest
}

/**
 * Turns a method's arguments into a request. A POST that the server keeps answers for gets its idempotency key here, once for all attempts.
 * @throws TypeError when a path parameter is missing
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
