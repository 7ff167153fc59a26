import assert from 'node:assert/strict'
import ajvFormats from 'ajv-formats'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { test } from 'tap'
import { document, examplesOf, type MediaType } from './document.ts'

const ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false, multipleOfPrecision: 4 })
ajvFormats.default(ajv)
ajv.addSchema(document, 'openapi.json')

const escape = (key: string): string => encodeURIComponent(key.replaceAll('~', '~0').replaceAll('/', '~1'))

interface Place {
  pointer: string
  media: MediaType
}

/** Every object of the document that has a schema and an example: bodies, responses, parameters, headers, and schemas with examples of their own. */
function* examplePlaces(node: unknown, pointer: string): Generator<Place> {
  if (typeof node !== 'object' || node === null) return
  const media = node as MediaType
  if (typeof media.schema === 'object' && (media.example !== undefined || media.examples !== undefined))
    yield { pointer, media }
  const { examples } = media.schema ?? {}
  if (Array.isArray(examples) && media.examples === undefined) {
    for (const example of examples) yield { pointer, media: { ...media, example } }
  }
  for (const [key, child] of Object.entries(node)) {
    if (key !== 'example' && key !== 'examples') yield* examplePlaces(child, `${pointer}/${escape(key)}`)
  }
}

test('every example of the specification matches its own schema', async () => {
  const faults: string[] = []
  let count = 0
  for (const { pointer, media } of examplePlaces(document, '')) {
    const validate = ajv.compile({ $ref: `openapi.json#${pointer}/schema` })
    for (const example of examplesOf(media)) {
      count += 1
      if (!validate(example)) faults.push(`${pointer}: ${ajv.errorsText(validate.errors, { dataVar: 'example' })}`)
    }
  }
  assert.ok(count > 20)
  assert.deepEqual(faults, [])
})
