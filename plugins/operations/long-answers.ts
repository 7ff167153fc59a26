import { setImmediate } from 'node:timers/promises'

/** Rows are serialised in slices of this many, and the event loop has its turn after this many milliseconds of them. */
const sliceLength = 20
const turnMs = 5

type Serialise = (body: unknown) => string

/** The longest list in a body, by its name, when it has more than one slice. */
const longestListOf = (body: unknown): [name: string, rows: unknown[]] | undefined =>
  Object.entries(typeof body === 'object' && body !== null ? body : {})
    .filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]) && entry[1].length > sliceLength)
    .sort(([, a], [, b]) => b.length - a.length)[0]

/** The schema of the rows of a list in a body. */
const rowSchemaOf = (schema: object, list: string): object | undefined =>
  (schema as { properties?: Record<string, { items?: object }> }).properties?.[list]?.items

/**
 * Serialises a body. A long list in it is serialised slice by slice, so that a page of hundreds of rows does not block the event loop.
 * @param compile returns the serialiser of a schema.
 */
export const serialiseLong = async (
  schema: object,
  body: unknown,
  compile: (schema: object) => Serialise
): Promise<string> => {
  const [name, rows] = longestListOf(body) ?? []
  const rowSchema = name === undefined ? undefined : rowSchemaOf(schema, name)
  if (name === undefined || rows === undefined || rowSchema === undefined) return compile(schema)(body)
  const serialiseRow = compile(rowSchema)
  const texts: string[] = []
  let endsAt = performance.now() + turnMs
  for (let start = 0; start < rows.length; start += sliceLength) {
    for (const row of rows.slice(start, start + sliceLength)) texts.push(serialiseRow(row))
    if (performance.now() < endsAt) continue
    await setImmediate()
    endsAt = performance.now() + turnMs
  }
  const [before = '', ...after] = compile(schema)({ ...(body as object), [name]: [] }).split(`"${name}":[]`)
  // Never inside a text, because its quotation marks are escaped; but perhaps once more in an inner object.
  if (after.length !== 1) return compile(schema)(body)
  const text = `${before}"${name}":[${texts.join(',')}]${after[0]}`
  await setImmediate()
  return text
}
