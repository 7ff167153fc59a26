import type { ClientMethod } from '../methods.ts'
import type { Bundle, Parameter, Schema } from '../model.ts'
import { resolve } from '../resolve.ts'

/** A call of an operation with the values of its examples, independent of the language. */
export interface SampleCall {
  method: ClientMethod
  pathValues: string[]
  /** Wire names, in the order of the specification. */
  query: Record<string, string | number | boolean>
  body: unknown
  credential: 'bearer' | 'refresh-cookie' | 'ingest-secret' | 'none'
  ifMatch: string | undefined
}

/** The sample call: required parameters, and the page size where there is one. */
export const sampleCall = (bundle: Bundle, method: ClientMethod): SampleCall => {
  const query = method.queryParameters.filter(({ required, name }) => required === true || name === 'limit')
  const ifMatch = method.headerParameters.find(({ name }) => name === 'If-Match')
  return {
    method,
    pathValues: method.pathParameters.map((parameter) => String(exampleOf(bundle, parameter))),
    query: Object.fromEntries(query.map((parameter) => [parameter.name, exampleOf(bundle, parameter)])),
    body: method.body?.examples[0],
    credential: credentialOf(method),
    ifMatch: ifMatch === undefined ? undefined : String(exampleOf(bundle, ifMatch))
  }
}

/** The example of a parameter. An optional one has it in its schema, so that pages do not prefill it. */
const exampleOf = (bundle: Bundle, parameter: Parameter): string | number | boolean => {
  const schema = resolve<Schema & { example?: unknown; examples?: unknown[] }>(bundle, parameter.schema ?? {})
  const own = (parameter as { example?: unknown }).example ?? schema.example ?? schema.examples?.[0]
  const example = own ?? schema.enum?.[0] ?? schema.default
  return typeof example === 'string' || typeof example === 'number' || typeof example === 'boolean'
    ? example
    : parameter.name
}

const credentialOf = ({ operation: { security } }: ClientMethod): SampleCall['credential'] => {
  const schemes = security.flatMap((alternative) => Object.keys(alternative))
  if (schemes.length === 0 || security.some((alternative) => Object.keys(alternative).length === 0)) return 'none'
  if (schemes.includes('RefreshCookie')) return 'refresh-cookie'
  return schemes.includes('IngestSecret') ? 'ingest-secret' : 'bearer'
}

/** Encodes a value for a path or query. Also escapes !'()*, which shells and string literals could interpret. */
export const encode = (value: string | number | boolean): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)

/** The path with its values and the query. */
export const targetOf = ({ method, pathValues, query }: SampleCall): string => {
  let next = 0
  const path = method.path.replace(/\{\w+\}/g, () => encode(pathValues[next++] ?? ''))
  const pairs = Object.entries(query).map(([name, value]) => `${encode(name)}=${encode(value)}`)
  return pairs.length === 0 ? path : `${path}?${pairs.join('&')}`
}
