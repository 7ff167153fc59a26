import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'tap'
import type { DocumentContent } from '../../scripts/generate/model.ts'
import { compareSpecifications, mayBreak } from '../../scripts/spec-diff/compare.ts'
import type { Change } from '../../scripts/spec-diff/comparison.ts'

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- each case edits a document that it knows
type Editable = any

const base = () => ({
  info: { version: '0.1.0' },
  paths: {
    '/things': {
      post: {
        operationId: 'createThing',
        tags: ['Things'],
        security: [{ PartnerKey: [] }, { BearerJWT: [] }],
        'x-required-scopes': ['things:write'],
        parameters: [{ name: 'limit', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 100 } }],
        requestBody: {
          required: true,
          content: { 'application/json': { schema: { $ref: '#/components/schemas/NewThing' } } }
        },
        responses: {
          '201': { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
          '404': { content: { 'application/problem+json': {} } }
        }
      }
    }
  },
  webhooks: {
    'thing.created': {
      post: { requestBody: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } } }
    }
  },
  components: {
    schemas: {
      NewThing: {
        type: 'object',
        required: ['name'],
        additionalProperties: false,
        properties: {
          name: { type: 'string', maxLength: 10 },
          kind: { type: 'string', enum: ['a', 'b'] },
          note: { type: ['string', 'null'] }
        }
      },
      Thing: {
        type: 'object',
        required: ['id', 'kind'],
        properties: {
          id: { type: 'string' },
          kind: { type: 'string', enum: ['a', 'b'] },
          parts: { type: 'array', items: { $ref: '#/components/schemas/Thing' } }
        }
      }
    }
  }
})

const changesAfter = (edit: (document: Editable) => void): Change[] => {
  const after = base()
  edit(after)
  return compareSpecifications(base(), after)
}

const operation = (document: Editable): Editable => document.paths['/things'].post
const sent = (document: Editable): Editable => document.components.schemas.NewThing
const responseSchema = (document: Editable): Editable => document.components.schemas.Thing

const breaking: [title: string, edit: (document: Editable) => void][] = [
  ['an operation is removed', (d) => delete d.paths['/things']],
  ['an operationId is renamed', (d) => (operation(d).operationId = 'makeThing')],
  ['a field of a response is removed', (d) => delete responseSchema(d).properties.id],
  ['a field of a response becomes optional', (d) => (responseSchema(d).required = ['id'])],
  ['a response has a new enum value', (d) => responseSchema(d).properties.kind.enum.push('c')],
  ['a response can be null', (d) => (responseSchema(d).properties.id.type = ['string', 'null'])],
  [
    'a request requires a new field',
    (d) => ((sent(d).properties.colour = { type: 'string' }), sent(d).required.push('colour'))
  ],
  ['a field of a request is removed', (d) => delete sent(d).properties.kind],
  ['a request accepts one enum value less', (d) => sent(d).properties.kind.enum.pop()],
  ['a request no longer accepts null', (d) => (sent(d).properties.note.type = 'string')],
  ['a limit of a request is stricter', (d) => (sent(d).properties.name.maxLength = 9)],
  ['a request has a new lower bound', (d) => (sent(d).properties.name.minLength = 1)],
  ['a request has a new pattern', (d) => (sent(d).properties.name.pattern = '^a')],
  ['a limit of a parameter is stricter', (d) => (operation(d).parameters[0].schema.minimum = 2)],
  ['a parameter is removed', (d) => operation(d).parameters.pop()],
  ['a parameter becomes required', (d) => (operation(d).parameters[0].required = true)],
  [
    'a new parameter is required',
    (d) => operation(d).parameters.push({ name: 'x', in: 'query', required: true, schema: {} })
  ],
  ['a status is removed', (d) => delete operation(d).responses['404']],
  ['the media type of a request is removed', (d) => (operation(d).requestBody.content = { 'text/plain': {} })],
  ['the media type of a response is removed', (d) => (operation(d).responses['404'].content = {})],
  ['a credential is no longer accepted', (d) => operation(d).security.pop()],
  ['an event is removed', (d) => delete d.webhooks['thing.created']],
  [
    'a field of an event is removed',
    (d) => (d.webhooks['thing.created'].post.requestBody.content['application/json'].schema = { type: 'object' })
  ],
  ['a new scope is required', (d) => operation(d)['x-required-scopes'].push('things:read')]
]

const compatible: [title: string, edit: (document: Editable) => void][] = [
  ['an operation is added', (d) => (d.paths['/others'] = { get: { ...operation(d), operationId: 'listOthers' } })],
  ['a response has a new field', (d) => (responseSchema(d).properties.colour = { type: 'string' })],
  ['a response has one enum value less', (d) => responseSchema(d).properties.kind.enum.pop()],
  ['a request accepts a new field', (d) => (sent(d).properties.colour = { type: 'string' })],
  ['a request accepts a new enum value', (d) => sent(d).properties.kind.enum.push('c')],
  ['a request requires one field less', (d) => (sent(d).required = [])],
  ['a limit of a request is relaxed', (d) => (sent(d).properties.name.maxLength = 11)],
  ['an optional parameter is added', (d) => operation(d).parameters.push({ name: 'x', in: 'query', schema: {} })],
  ['a status is added', (d) => (operation(d).responses['409'] = {})],
  ['credentials are no longer required', (d) => ((operation(d).security = []), (operation(d).responses['202'] = {}))],
  ['a scope is no longer required', (d) => (operation(d)['x-required-scopes'] = [])]
]

for (const [title, edit] of breaking) {
  test(`a change is breaking when ${title}`, async () => {
    assert.ok(changesAfter(edit).some((change) => change.breaking))
  })
}

for (const [title, edit] of compatible) {
  test(`a change is compatible when ${title}`, async () => {
    const changes = changesAfter(edit)
    assert.ok(changes.length > 0)
    assert.deepEqual(
      changes.filter((change) => change.breaking),
      []
    )
  })
}

test('a change names its location, and a recursive schema is compared once', async () => {
  assert.deepEqual(
    changesAfter((d) => delete responseSchema(d).properties.id),
    [
      { breaking: true, place: 'POST /things › 201', what: 'the field id was removed' },
      { breaking: true, place: 'thing.created › body', what: 'the field id was removed' }
    ]
  )
})

test('a document does not differ from itself, and neither does the real one', async () => {
  assert.deepEqual(
    changesAfter(() => undefined),
    []
  )
  const real = JSON.parse(
    readFileSync(new URL('../../spec/generated/openapi.json', import.meta.url), 'utf8')
  ) as DocumentContent
  assert.deepEqual(compareSpecifications(real, structuredClone(real)), [])
})

test('breaking changes require a new major version, or a new minor version before 1.0.0', async () => {
  assert.ok(mayBreak('0.1.0', '0.2.0') && mayBreak('0.9.0', '1.0.0') && mayBreak('1.4.0', '2.0.0'))
  assert.ok(
    !mayBreak('0.1.0', '0.1.1') &&
      !mayBreak('1.1.0', '1.2.0') &&
      !mayBreak('2.0.0', '1.9.0') &&
      !mayBreak('0.1.0', '0.1.0')
  )
})
