import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stringify } from 'yaml'

/** The bundled specification, beside the generated code both in the source and in the build. */
const file = new URL('../../spec/generated/openapi.json', import.meta.url)

export const specificationFormats = ['json', 'yaml'] as const
export type SpecificationFormat = (typeof specificationFormats)[number]

/** A text that never changes while the server runs, with its entity tag. */
export interface StaticText {
  text: string
  etag: string
}

const texts = new Map<SpecificationFormat, StaticText>()

const render = (format: SpecificationFormat): string => {
  const json = readFileSync(file, 'utf8')
  return format === 'json' ? json : stringify(JSON.parse(json), { lineWidth: 0 })
}

/** The specification as it is served and exported. YAML is made when it is first asked for, since few ask and it takes a moment. */
export const readSpecification = (format: SpecificationFormat): StaticText => {
  const known = texts.get(format)
  if (known !== undefined) return known
  const text = render(format)
  const made = { text, etag: `"${createHash('sha256').update(text).digest('base64url').slice(0, 22)}"` }
  texts.set(format, made)
  return made
}

/** Whether a client's `If-None-Match` names this state (RFC 9110, 13.1.2: weak comparison, or `*`). */
export const isCurrent = (ifNoneMatch: string | undefined, etag: string): boolean =>
  ifNoneMatch !== undefined && (ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag))
