import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'
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
