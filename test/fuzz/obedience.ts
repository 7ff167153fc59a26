import type { Operation } from '../../plugins/operations/table.ts'
import { parametersOf, sampleOf } from '../architecture/document.ts'
import { identifiersOf, type Kind } from '../architecture/identifiers.ts'
import { password } from '../modules/identity/client.ts'
import { canary } from './strange-text.ts'
import type { Source } from './valid-values.ts'

/** The parts of a request before they are written down. */
export interface Parts {
  path: Record<string, unknown>
  query: Record<string, unknown>
  headers: Record<string, unknown>
  body: { type: string; value: unknown; accepts: ((value: unknown) => boolean) | undefined } | undefined
}

type Fields = Record<string, unknown>

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** An example with about a third of its fields as they were drawn, and some that the example leaves out. */
export const blend = (example: unknown, drawn: unknown, bits: number): unknown => {
  if (!isObject(example) || !isObject(drawn)) return bits % 4 === 0 && typeof example === typeof drawn ? drawn : example
  const names = [...new Set([...Object.keys(example), ...Object.keys(drawn)])]
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const takesDrawn = (bits >>> ((index % 15) * 2)) % 4 === 0 && name in drawn
      if (takesDrawn) return [[name, drawn[name]]]
      return name in example ? [[name, example[name]]] : []
    })
  )
}

/** An example with the marked ones of the drawn texts in it, so that nothing but its texts is strange. */
export const mark = (example: unknown, drawn: unknown): unknown => {
  if (!isObject(example) || !isObject(drawn))
    return typeof drawn === 'string' && drawn.includes(canary) ? drawn : example
  const marked = Object.entries(drawn).filter(([, value]) => typeof value === 'string' && value.includes(canary))
  return { ...example, ...Object.fromEntries(marked) }
}

/** An event without the fields that belong to events of other types, and not from before or after what is taken. */
const eventOf = (event: unknown): unknown => {
  if (!isObject(event)) return event
  const { amount_cents, category, institution, occurred_at: _drawn, ...others } = event
  if (event.event_type === 'transaction')
    return { ...others, amount_cents: amount_cents ?? 4218, ...(category === undefined ? {} : { category }) }
  return event.event_type === 'account_link' && institution !== undefined ? { ...others, institution } : others
}

/** Rules that no schema can say: a password is the one that was chosen, a part of a loan leaves a rest. */
const rules: Record<string, (body: Fields, source: Source) => unknown> = {
  loginUser: (body, { email }) => ({ ...body, email, password }),
  changePassword: (body) => ({ ...body, current_password: password }),
  repayLoan: (body) => ({ ...body, amount: 1 }),
  ingestEvent: eventOf,
  ingestEvents: (body) => ({ ...body, events: [body.events].flat().map(eventOf) })
}

/** Puts things in the place of every identifier that a body holds, and leaves each as the kind of value that it was. */
const withThings = (
  value: unknown,
  kinds: ReadonlyMap<string, Kind>,
  pick: (kind: Kind) => string | number | undefined,
  name = ''
): unknown => {
  if (Array.isArray(value)) return value.map((entry) => withThings(entry, kinds, pick, name))
  if (isObject(value))
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withThings(entry, kinds, pick, key)]))
  const kind = kinds.get(name)
  return (kind === undefined || value === null ? undefined : pick(kind)) ?? value
}

const filtered = (fields: Fields, keeps: (name: string, index: number) => boolean): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([name], index) => keeps(name, index)))

/** Makes a request speak of real things, and leaves most of the optional headers, filters and cursors out, which would only have it refused. */
export const obey = (
  operation: Operation,
  parts: Parts,
  source: Source,
  die: number,
  isRequired: (place: string, name: string) => boolean
): Parts => {
  const identifiers = identifiersOf(operation)
  const kindsIn = (wanted: string) =>
    new Map(identifiers.filter(({ place }) => place === wanted).map(({ name, kind }) => [name, kind]))
  const nobodys = parametersOf(operation).filter(
    ({ in: place, name }) => place === 'path' && kindsIn('path').get(name) === 'nobodys'
  )
  // Writing down the other tenant's marked names would make them the sender's own, and each sight of them a false alarm.
  const isFreeToWrite = (value: unknown) =>
    source.marked || operation.method === 'GET' || !String(value).includes(canary)
  const pick = (kind: Kind) => [source.stock.pick(kind, die)].find(isFreeToWrite)
  const optional = (place: string) => (name: string, index: number) =>
    isRequired(place, name) || (die >>> index) % (name === 'cursor' ? 16 : 4) === 0
  const body = parts.body
  const value =
    body === undefined
      ? undefined
      : withThings(
          isObject(body.value) ? (rules[operation.operationId]?.(body.value, source) ?? body.value) : body.value,
          kindsIn('body'),
          pick
        )
  return {
    path: {
      ...(withThings(parts.path, kindsIn('path'), pick) as Fields),
      ...Object.fromEntries(nobodys.map((parameter) => [parameter.name, sampleOf(parameter)]))
    },
    query: withThings(filtered(parts.query, optional('query')), kindsIn('query'), pick) as Fields,
    headers: filtered(parts.headers, optional('header')),
    // A thing is of the type that its field asks for; where it is not, what was drawn stays.
    body: body === undefined ? undefined : { ...body, value: body.accepts?.(value) === false ? body.value : value }
  }
}
