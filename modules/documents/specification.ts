import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
import { collectionOf, environmentOf } from './postman/collection.ts'
import type { SpecificationDocument } from './postman/document.ts'
import { staticText, type StaticText } from './static-text.ts'

/** The bundled specification, beside the generated code both in the source and in the build. */
const file = new URL('../../spec/generated/openapi.json', import.meta.url)

export const specificationFormats = ['json', 'yaml'] as const
export type SpecificationFormat = (typeof specificationFormats)[number]

const texts = new Map<SpecificationFormat, StaticText>()

const render = (format: SpecificationFormat): string => {
  const json = readFileSync(file, 'utf8')
  return format === 'json' ? json : stringify(JSON.parse(json), { lineWidth: 0 })
}

/** The specification as it is served and exported. YAML is made when it is first asked for, since few ask and it takes a moment. */
export const readSpecification = (format: SpecificationFormat): StaticText => {
  const known = texts.get(format)
  if (known !== undefined) return known
  const made = staticText(render(format))
  texts.set(format, made)
  return made
}

const readDocument = (): SpecificationDocument => JSON.parse(readSpecification('json').text) as SpecificationDocument

const print = (content: unknown): StaticText => staticText(`${JSON.stringify(content, null, 2)}\n`)

let collection: StaticText | undefined

/** The Postman collection, made from the specification when it is first asked for. */
export const readPostmanCollection = (): StaticText => (collection ??= print(collectionOf(readDocument())))

/** The environment of the collection, for the server that clients reach at `baseUrl`. */
export const readPostmanEnvironment = (baseUrl: string): StaticText => print(environmentOf(readDocument(), baseUrl))
