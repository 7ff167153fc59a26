import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { t, test } from 'tap'
import { parse } from 'yaml'

const home = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
mkdirSync(join(home, '.cache'), { recursive: true })
const scratch = mkdtempSync(join(home, '.cache', 'lint-spec-test-'))
t.teardown(() => rmSync(scratch, { recursive: true, force: true }))

const run = (tool: string, document: object, ...options: string[]): { status: number | null; output: string } => {
  const file = join(scratch, 'openapi.json')
  writeFileSync(file, JSON.stringify(document))
  const { status, stdout, stderr } = spawnSync(join(home, 'node_modules', '.bin', tool), ['lint', file, ...options], {
    cwd: home,
    encoding: 'utf8'
  })
  return { status, output: stdout + stderr }
}
const spectral = (document: object) => run('spectral', document, '--fail-severity=hint')

const header = (type: string) => ({ description: 'A header.', schema: { type } })
const headers = {
  'X-Request-Id': header('string'),
  'X-RateLimit-Limit': header('integer'),
  'X-RateLimit-Remaining': header('integer'),
  'X-RateLimit-Reset': header('integer'),
  RateLimit: header('string'),
  'RateLimit-Policy': header('string')
}
const problem = (more: object = {}) => ({
  description: 'A problem.',
  headers: { ...headers, ...more },
  content: {
    'application/problem+json': {
      schema: { type: 'object', required: ['title'], properties: { title: { type: 'string' } } },
      example: { title: 'a_code' }
    }
  }
})

/** A new copy of a small API without faults. */
const clean = () => {
  const thing = {
    type: 'object',
    required: ['name'],
    properties: { name: { type: 'string', maxLength: 20, description: 'Its name.' } }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Things',
      version: '1.0.0',
      description: 'Keeps things.',
      license: { name: 'MIT', identifier: 'MIT' },
      contact: { name: 'The operator', url: 'https://things.invalid/' }
    },
    servers: [{ url: '/', description: 'This server' }],
    tags: [{ name: 'Things', description: 'All there is.' }],
    paths: {
      '/v1/things/{thing_id}': {
        post: {
          operationId: 'renameThing',
          summary: 'Rename a thing',
          description: 'Gives a thing another name.',
          tags: ['Things'],
          security: [{ Key: [] }] as object[] | undefined,
          'x-required-scopes': ['things:write'],
          'x-ratelimit-class': 'write',
          parameters: [
            {
              name: 'thing_id',
              in: 'path',
              required: true,
              description: 'Which.',
              schema: { type: 'string', maxLength: 20 } as object
            }
          ],
          requestBody: {
            required: true,
            content: { 'application/json': { schema: thing as object, example: { name: 'a' } as object | undefined } }
          },
          responses: {
            200: {
              description: 'The thing.',
              headers: { ...headers } as object,
              content: { 'application/json': { schema: thing, example: { name: 'a' } as object | undefined } }
            },
            400: problem() as object | undefined,
            401: problem() as object | undefined,
            403: problem(),
            429: problem({ 'Retry-After': header('integer') }),
            500: problem() as object
          }
        }
      }
    },
    components: { securitySchemes: { Key: { type: 'http', scheme: 'bearer' } } }
  }
}

type Operation = ReturnType<typeof clean>['paths']['/v1/things/{thing_id}']['post']
const body = (operation: Operation) => operation.requestBody.content['application/json']
const bodyOf = (property: object) => (operation: Operation) => {
  Object.assign(body(operation), { schema: { type: 'object', properties: { it: property } }, example: {} })
}

const faults: [rule: string, spoil: (operation: Operation) => unknown, where?: string][] = [
  [
    'operation-id-verb-noun',
    (operation) => {
      operation.operationId = 'rename_thing'
    }
  ],
  [
    'operation-summary',
    (operation) => {
      operation.summary = 'Rename a thing.'
    }
  ],
  [
    'operation-states-security',
    (operation) => {
      delete operation.security
    }
  ],
  [
    'operation-scopes',
    (operation) => {
      operation['x-required-scopes'] = ['things']
    }
  ],
  [
    'operation-rate-class',
    (operation) => {
      operation['x-ratelimit-class'] = 'fast'
    }
  ],
  [
    'operation-body-limit',
    (operation) => {
      Object.assign(operation, { 'x-body-limit': 8 * 1024 * 1024 })
    }
  ],
  [
    'operation-read-only',
    (operation) => {
      Object.assign(operation, { 'x-read-only': true })
    }
  ],
  [
    'name-style',
    (operation) => {
      operation.parameters.push({
        name: 'Mixed_Style',
        in: 'query',
        required: false,
        description: 'Bad.',
        schema: { type: 'boolean' }
      })
    }
  ],
  [
    'problem-responses',
    (operation) => {
      operation.responses[500] = { ...problem(), content: { 'application/json': { schema: {} } } }
    }
  ],
  [
    'secured-responses',
    (operation) => {
      delete operation.responses[401]
    }
  ],
  [
    'input-responses',
    (operation) => {
      delete operation.responses[400]
    }
  ],
  [
    'rate-limit-headers',
    (operation) => {
      operation.responses[200].headers = { RateLimit: header('string') }
    }
  ],
  [
    'request-example',
    (operation) => {
      delete body(operation).example
    }
  ],
  [
    'response-example',
    (operation) => {
      delete operation.responses[200].content['application/json'].example
    }
  ],
  [
    'response-example',
    (operation) => {
      operation.responses[500] = { ...problem(), content: { 'application/problem+json': { schema: {} } } }
    },
    'of-an-error'
  ],
  [
    'optional-parameter-without-value',
    (operation) => {
      const parameter = { name: 'limit', in: 'query', required: false, description: 'How many.', example: 5 }
      operation.parameters.push({ ...parameter, schema: { type: 'integer', minimum: 1, maximum: 9 } })
    }
  ],
  [
    'operation-description-says-more',
    (operation) => {
      operation.description = 'Renames.'
    }
  ],
  ['request-field-description', bodyOf({ type: 'boolean' })],
  [
    'oas3-valid-media-example',
    (operation) => {
      body(operation).example = { name: 1 }
    }
  ],
  ['request-string-limit', bodyOf({ type: ['string', 'null'] })],
  ['request-pattern-message', bodyOf({ type: 'string', maxLength: 3, pattern: '^[A-Z]{3}$' })],
  ['request-array-limit', bodyOf({ type: 'array', items: { type: 'boolean' } })],
  ['request-number-limit', bodyOf({ type: 'integer', minimum: 1 })],
  ['request-dictionary-limit', bodyOf({ type: 'object', additionalProperties: { type: 'boolean' } })]
]

test('a specification that follows the rules passes both linters', async () => {
  for (const tool of [spectral, (document: object) => run('redocly', document)]) {
    const { status, output } = tool(clean())
    assert.equal(status, 0, output)
  }
})

test('each custom rule detects its fault, and a warning is enough to fail', async () => {
  // One document with a path for each fault, because starting the linter takes longer than linting.
  const document = clean()
  const paths: Record<string, unknown> = {}
  faults.forEach(([rule, spoil, where = rule], index) => {
    const { post } = clean().paths['/v1/things/{thing_id}']
    post.operationId = `rename${'ABCDEFGHIJKLMNOPQRSTUVWXYZ'[index]}`
    spoil(post)
    paths[`/v1/${where}/{thing_id}`] = { post }
  })
  paths['/v1/Upper'] = {}
  paths['/v1/read/{thing_id}'] = {
    get: { ...clean().paths['/v1/things/{thing_id}'].post, operationId: 'readThing', 'x-read-only': true }
  }
  const { status, output } = run('spectral', { ...document, paths }, '--fail-severity=hint', '--format=json', '--quiet')
  assert.equal(status, 1)
  const found = JSON.parse(output.slice(output.indexOf('['), output.lastIndexOf(']') + 1)) as {
    code: string
    path: string[]
  }[]
  for (const [rule, , where = rule] of faults) {
    assert.ok(
      found.some(({ code, path }) => code === rule && path[1] === `/v1/${where}/{thing_id}`),
      `${rule} found nothing in ${where}`
    )
  }
  assert.ok(found.some(({ code, path }) => code === 'path-style' && path[1] === '/v1/Upper'))
  assert.ok(found.some(({ code, path }) => code === 'operation-read-only-post' && path[1] === '/v1/read/{thing_id}'))
  const own = Object.entries((parse(readFileSync(join(home, '.spectral.yaml'), 'utf8')) as { rules: object }).rules)
    .filter(([, rule]) => rule !== 'off')
    .map(([name]) => name)
  assert.deepEqual(
    own.filter((name) => !found.some(({ code }) => code === name)),
    [],
    'every custom rule is tested here'
  )
})

test('a warning alone fails both linters', async () => {
  const document = clean()
  const unused = { ...document, components: { ...document.components, schemas: { Unused: { type: 'boolean' } } } }
  assert.match(spectral(unused).output, /warning +oas3-unused-component/)
  assert.equal(spectral(unused).status, 1)
  assert.equal(run('redocly', unused).status, 1)
})
