import type { Operation } from '../../plugins/operations/table.ts'
import { parametersOf, sampleOf } from '../architecture/document.ts'
import { identifiersOf, type Kind } from '../architecture/identifiers.ts'
import { password } from '../modules/identity/client.ts'
import { canary } from './strange-text.ts'
import type { Source } from './valid-values.ts'

/** The parts of a request before serialisation. */
export interface Parts {
  path: Record<string, unknown>
  query: Record<string, unknown>
  headers: Record<string, unknown>
  body: { type: string; value: unknown; accepts: ((value: unknown) => boolean) | undefined } | undefined
}

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An example with about a quarter of its fields replaced by generated ones, and some that the example leaves out. */
export const blend = (example: unknown, drawn: unknown, bits: number): unknown => {
  if (!isObject(example) || !isObject(drawn)) return bits % 4 === 0 && typeof example === typeof drawn ? drawn : example
  const names = [...new Set([...Object.keys(example), ...Object.keys(drawn)])]
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const usesDrawn = (bits >>> ((index % 15) * 2)) % 4 === 0 && name in drawn
      if (usesDrawn) return [[name, drawn[name]]]
      return name in example ? [[name, example[name]]] : []
    })
  )
}

/** An example with those generated texts that contain the canary; its other fields stay as they are. */
export const mark = (example: unknown, drawn: unknown): unknown => {
  if (!isObject(example) || !isObject(drawn))
    return typeof drawn === 'string' && drawn.includes(canary) ? drawn : example
  const marked = Object.entries(drawn).filter(([, value]) => typeof value === 'string' && value.includes(canary))
  return { ...example, ...Object.fromEntries(marked) }
}

/** An event without the fields of other event types, and without a time that may be out of range. */
const eventOf = (event: unknown): unknown => {
  if (!isObject(event)) return event
  const { amount_cents, category, institution, occurred_at: _drawn, ...others } = event
  if (event.event_type === 'transaction')
    return { ...others, amount_cents: amount_cents ?? 4218, ...(category === undefined ? {} : { category }) }
  return event.event_type === 'account_link' && institution !== undefined ? { ...others, institution } : others
}

/** Rules that a schema cannot express: a password is the chosen one, a partial repayment is less than the loan. */
const rules: Record<string, (body: Fields, source: Source) => unknown> = {
  loginUser: (body, { email }) => ({ ...body, email, password }),
  changePassword: (body) => ({ ...body, current_password: password }),
  repayLoan: (body) => ({ ...body, amount: 1 }),
  ingestEvent: eventOf,
  ingestEvents: (body) => ({ ...body, events: [body.events].flat().map(eventOf) })
}

/** Replaces every identifier in a value with that of a real resource. */
const withRealIds = (
  value: unknown,
  kinds: ReadonlyMap<string, Kind>,
  pick: (kind: Kind) => string | number | undefined,
  name = ''
): unknown => {
  if (Array.isArray(value)) return value.map((entry) => withRealIds(entry, kinds, pick, name))
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withRealIds(entry, kinds, pick, key)]))
  const kind = kinds.get(name)
  return (kind === undefined || value === null ? undefined : pick(kind)) ?? value
}

const filtered = (fields: Fields, keeps: (name: string, index: number) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name], index) => keeps(name, index)))

/** Makes a request refer to real resources, and leaves out most of the optional headers, filters and cursors, which would get it rejected. */
export const useRealResources = (
  operation: Operation,
  parts: Parts,
  source: Source,
  die: number,
  isRequired: (place: string, name: string) => boolean
): Parts => {
  const identifiers = identifiersOf(operation)
  const kindsIn = (wanted: string) =>
    new Map(identifiers.filter(({ place }) => place === wanted).map(({ name, kind }) => [name, kind]))
  const unowned = parametersOf(operation).filter(
    ({ in: place, name }) => place === 'path' && kindsIn('path').get(name) === 'unowned'
  )
  // A stored canary name of the other tenant would become the sender's own, and every later sight of it a false alarm.
  const isFreeToWrite = (value: unknown) =>
    source.marked || operation.method === 'GET' || !String(value).includes(canary)
  const pick = (kind: Kind) => [source.stock.pick(kind, die)].find(isFreeToWrite)
  const optional = (place: string) => (name: string, index: number) =>
    isRequired(place, name) || (die >>> index) % (name === 'cursor' ? 16 : 4) === 0
  const body = parts.body
  const value =
    body === undefined
      ? undefined
      : withRealIds(
          isObject(body.value) ? (rules[operation.operationId]?.(body.value, source) ?? body.value) : body.value,
          kindsIn('body'),
          pick
        )
  return {
    path: {
      ...(withRealIds(parts.path, kindsIn('path'), pick) as Fields),
      ...Object.fromEntries(unowned.map((parameter) => [parameter.name, sampleOf(parameter)]))
    },
    query: withRealIds(filtered(parts.query, optional('query')), kindsIn('query'), pick) as Fields,
    headers: filtered(parts.headers, optional('header')),
    // Keeps the generated value where the identifier does not fit the type of the field.
    body: body === undefined ? undefined : { ...body, value: body.accepts?.(value) === false ? body.value : value }
  }
}
