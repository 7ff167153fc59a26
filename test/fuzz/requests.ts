import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import ajvFormats from 'ajv-formats'
import fc from 'fast-check'
import type { Operation } from '../../plugins/operations/table.ts'
import {
  bodyOf,
  document,
  examplesOf,
  parametersOf,
  resolve,
  type ParameterObject,
  type SchemaObject
} from '../architecture/document.ts'
import { blend, mark, useRealResources, type Parts } from './real-resources.ts'
import { attacks, broken } from './strange-text.ts'
import { validOf, type Schema, type Source } from './valid-values.ts'

/** A request as sent over the wire, and whether the specification rejects its body. */
export interface FuzzRequest {
  kind: 'valid' | 'invalid'
  method: string
  path: string
  headers: Record<string, string>
  body?: string | Buffer | undefined
  /** True when the body certainly violates the schema, so that the request must not succeed. */
  mustRefuse: boolean
}

/** Ajv on the document itself, independent of the server's validators and serialisers. */
export const ajv = new Ajv2020({ strict: false, allErrors: false, multipleOfPrecision: 6, validateFormats: true })
ajvFormats.default(ajv)
ajv.addSchema({ ...document, $id: 'spec' }, 'spec')

/** Compiles the schema at a place in the document. */
export const compileAt = (...place: string[]): ValidateFunction =>
  ajv.compile({
    $ref: `spec#/${place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`
  })

const junk: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    '',
    [],
    {},
    [[]],
    -1,
    0,
    0.001,
    1.005,
    1e308,
    -1e308,
    2 ** 53 + 2,
    1e21,
    'NaN',
    ' ',
    '٣',
    '2026-02-30',
    '0000-00-00',
    'x'.repeat(70_000)
  ),
  fc.constantFrom<unknown>(...attacks, ...broken),
  fc.constantFrom<unknown>(
    { $ref: '#' },
    JSON.parse('{"__proto__":{"a":1}}'),
    { constructor: { prototype: {} } },
    { toString: 1 }
  ),
  fc.nat(400).map((depth) => JSON.parse('['.repeat(depth + 1) + ']'.repeat(depth + 1)) as unknown)
)

/** Corrupts one part of a value, at any depth. */
const spoil = (value: unknown, at: number, by: unknown): unknown => {
  if (typeof value !== 'object' || value === null || at % 5 === 0) return by
  if (Array.isArray(value))
    return value.length === 0
      ? [by]
      : value.map((entry, index) => (index === at % value.length ? spoil(entry, Math.floor(at / 5), by) : entry))
  const names = Object.keys(value)
  const name = names[Math.floor(at / 7) % (names.length + 1)]
  if (name === undefined) return { ...value, [at % 2 === 0 ? 'no_such_field' : 'constructor']: by }
  const { [name]: held, ...others } = value as Record<string, unknown>
  return at % 11 === 0 ? others : { ...others, [name]: spoil(held, Math.floor(at / 5), by) }
}

const fill = (operation: Operation, parts: Record<string, unknown>, encode: (text: string) => string): string =>
  operation.path.replace(/\{(\w+)\}/g, (_match, name: string) => encode(String(parts[name] ?? 'x')))

const safe = (text: string): string =>
  encodeURIComponent(text.replace(/[\ud800-\udfff]/gu, '\ufffd')).replace(/^\.+$/, 'x') || 'x'

const queryOf = (query: Record<string, unknown>): string => {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((entry) => `${encodeURIComponent(name)}=${safe(String(entry))}`)
  )
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

const recordOf = (parameters: ParameterObject[], source: Source): fc.Arbitrary<Record<string, unknown>> =>
  fc.record(
    Object.fromEntries(
      parameters.map(({ name, schema = {}, example }) => [
        name,
        validOf(example === undefined ? schema : { ...resolve<SchemaObject>(schema), example }, name, source)
      ])
    ),
    { requiredKeys: parameters.filter(({ required }) => required === true).map(({ name }) => name) }
  )

/** Header values that HTTP itself allows. */
const headerText = (value: unknown): string =>
  String(value)
    .replace(/[^\x20-\x7e\xa0-\xff]/g, '')
    .trim()

const bodyText = (type: string, body: unknown): string => {
  if (type !== 'application/x-www-form-urlencoded' || typeof body !== 'object' || body === null || Array.isArray(body))
    return JSON.stringify(body)
  return new URLSearchParams(
    Object.entries(body).map(([name, value]): [string, string] => [
      name,
      String(typeof value === 'object' ? JSON.stringify(value) : value)
    ])
  ).toString()
}

/** Bodies for an operation, most of them close to an example of the specification. */
const bodiesOf = (operation: Operation, source: Source): fc.Arbitrary<Parts['body']> => {
  const media = Object.entries(bodyOf(operation))
  if (media.length === 0) return fc.constant(undefined)
  return fc.constantFrom(...media).chain(([type, content]) => {
    const { schema = {} } = content
    const accepts = compileSchema(schema)
    const asForm = type.includes('form')
    const drawn = validOf(schema, '', source)
    const examples = examplesOf(content)
    const near =
      examples.length === 0
        ? drawn
        : fc
            .tuple(fc.constantFrom(...examples), drawn, fc.nat())
            .map(([example, value, bits]) =>
              [
                source.marked && bits % 2 === 0
                  ? mark(example, value)
                  : blend(example, value, source.marked ? 0 : bits),
                example
              ].find((one) => asForm || accepts(one))
            )
    // A form carries only text. As in the server, the schema is applied after coercion.
    const whole = drawn.filter((value) => asForm || accepts(value))
    return fc
      .oneof({ arbitrary: near, weight: 3 }, { arbitrary: whole, weight: 1 })
      .map((value) => ({ type, value, accepts: asForm ? undefined : accepts }))
  })
}

/** Arbitraries for an operation's parameters and body. Seven of ten requests use real identifiers. */
const partsOf = (operation: Operation, source: Source): fc.Arbitrary<Parts> => {
  const parameters = parametersOf(operation)
  const of = (place: string) =>
    recordOf(
      parameters.filter((parameter) => parameter.in === place),
      source
    )
  const isRequired = (place: string, name: string) =>
    parameters.some((parameter) => parameter.in === place && parameter.name === name && parameter.required === true)
  return fc
    .record({
      path: of('path'),
      query: of('query'),
      headers: of('header'),
      body: bodiesOf(operation, source),
      way: fc.nat(9),
      die: fc.nat()
    })
    .map(({ way, die, ...parts }) => (way < 7 ? useRealResources(operation, parts, source, die, isRequired) : parts))
}

const compiled = new Map<string, ValidateFunction>()
const compileSchema = (schema: Schema): ValidateFunction => {
  const text = JSON.stringify(schema).replaceAll('"#/', '"spec#/')
  const known = compiled.get(text) ?? ajv.compile(JSON.parse(text) as object)
  compiled.set(text, known)
  return known
}

const namedHeaders = (headers: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), headerText(value)]))

/** Requests that the specification allows, including its most unusual values. */
export const validRequests = (operation: Operation, source: Source): fc.Arbitrary<FuzzRequest> =>
  partsOf(operation, source).map(({ path, query, headers, body }) => ({
    kind: 'valid',
    method: operation.method,
    path: fill(operation, path, safe) + queryOf(query),
    headers: { ...namedHeaders(headers), ...(body === undefined ? {} : { 'content-type': body.type }) },
    body: body === undefined ? undefined : bodyText(body.type, body.value),
    mustRefuse: false
  }))

const pathTricks = [
  '%00',
  '%2e%2e',
  '..%2f',
  '%ED%A0%80',
  '%zz',
  '%',
  '%C0%AF',
  'a%2Fb',
  '__proto__',
  'x'.repeat(300),
  '%0d%0a',
  '*',
  ';a=b',
  'constructor',
  '%F0%9F%98%80',
  '-1',
  '99999999999999999999',
  '2147483648',
  '9007199254740993'
]
const badHeaders: Record<string, string>[] = [
  { 'idempotency-key': 'x'.repeat(300) },
  { 'idempotency-key': '\xe9\xff' },
  { 'idempotency-key': ' ' },
  { 'idempotency-key': 'a b\tc' },
  { 'if-match': 'garbage' },
  { 'if-match': '"' },
  { 'if-match': '*' },
  { 'if-none-match': '\xff' },
  { accept: '///' },
  { 'x-request-id': 'x'.repeat(2000) },
  { 'x-request-id': '<script>' },
  { 'x-forwarded-for': 'garbage, ::ffff' },
  { 'x-forwarded-for': '127.0.0.9:8080' },
  { 'x-forwarded-for': '[2001:db8::1]:443' },
  { 'x-forwarded-for': '::ffff:127.0.0.9, 127.0.0.8' },
  { 'x-forwarded-for': ', ,' },
  { 'x-forwarded-for': '127.0.0.9:99999999' },
  { 'x-forwarded-for': '0x7f.1' },
  { 'x-forwarded-for': "' or 1=1" },
  { 'content-encoding': 'gzip' },
  { cookie: 'atlas_refresh=%zz; __proto__=1' },
  { cookie: 'atlas_refresh=garbage' },
  { range: 'bytes=5-1' },
  { origin: 'null' },
  { traceparent: '00-zz' },
  { 'x-api-key': 'a,b' }
]
const badTexts = [
  '',
  '{',
  '[]',
  'null',
  '"a"',
  '{"a":1,"a":2}',
  '{"__proto__":{}}',
  '{"constructor":{"prototype":{}}}',
  '\ufeff{}',
  '{"a":1e999}',
  '{"a":NaN}',
  '['.repeat(5000),
  'a=b&a=c&=&%',
  '\u0000',
  '{"a":"\\ud800"}',
  '{"a":"\\u0000"}'
]
const badTypes = [
  'text/plain',
  'application/xml',
  'application/json; charset=utf-16',
  'multipart/form-data',
  'garbage',
  'application/x-www-form-urlencoded',
  '',
  'application/json;;;'
]

/** Requests with one or several faults. */
export const invalidRequests = (operation: Operation, source: Source): fc.Arbitrary<FuzzRequest> =>
  fc
    .record({
      parts: partsOf(operation, source),
      way: fc.nat(9),
      at: fc.nat(100_000),
      by: junk,
      trick: fc.constantFrom(...pathTricks),
      header: fc.constantFrom(...badHeaders),
      text: fc.constantFrom(...badTexts),
      type: fc.constantFrom(...badTypes)
    })
    .map(({ parts, way, at, by, trick, header, text, type }) => {
      const { path, query, headers, body } = parts
      const request: FuzzRequest = {
        kind: 'invalid',
        method: operation.method,
        path: '',
        mustRefuse: false,
        headers: { ...namedHeaders(headers), ...(body === undefined ? {} : { 'content-type': body.type }) },
        body: body === undefined ? undefined : bodyText(body.type, body.value)
      }
      const hasBody = body !== undefined
      const target = fill(operation, path, safe)
      request.path = target + queryOf(query)
      if (hasBody && way < 5) {
        const spoilt = spoil(body.value, at, by)
        request.body = bodyText(body.type, spoilt)
        // Null is equivalent to leaving out an optional body.
        const isLeftOut = spoilt === null && !operation.bodyRequired
        request.mustRefuse =
          !isLeftOut && body.accepts !== undefined && !body.accepts(JSON.parse(JSON.stringify(spoilt)))
      } else if (hasBody && way === 5) request.body = text
      else if (hasBody && way === 9 && at % 2 === 0) {
        // Latin-1, as from a client with the wrong encoding.
        request.body = Buffer.from(bodyText(body.type, body.value).replace(/[a-z]/, '\xe9'), 'latin1')
        request.mustRefuse = body.type.includes('json') && request.body.includes(0xe9)
      } else if (hasBody && way === 6) request.headers['content-type'] = type
      else if (hasBody && way === 7 && at % 20 === 0) request.body = JSON.stringify({ a: 'x'.repeat(1_100_000) })
      else if (way === 8) Object.assign(request.headers, header)
      else if (operation.path.includes('{') && at % 2 === 0)
        request.path = fill(operation, {}, () => trick) + queryOf(query)
      else {
        const names = parametersOf(operation)
          .filter((parameter) => parameter.in === 'query')
          .map(({ name }) => name)
        const name = names[at % (names.length + 1)] ?? 'no_such_parameter'
        const value = typeof by === 'string' ? by.slice(0, 4000) : JSON.stringify(by).slice(0, 2000)
        const strange = [
          `${name}=${safe(value)}`,
          `${name}=1&${name}=2`,
          `${name}[]=1`,
          `${name}[a]=1`,
          `${name}=%zz`,
          `${name}=%00`,
          `${name}`,
          `__proto__=1&${name}=`,
          `${name}=${trick}`
        ]
        request.path = `${target}?${strange[at % strange.length]}`
      }
      return request
    })
