import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from '@sinclair/typebox'
import { t, test } from 'tap'
import { tsImport } from 'tsx/esm/api'
import ts from 'typescript'
import type { OperationTable } from '../../plugins/operations/table.ts'
import { fixture, generate, generateFixture, home } from './generated.ts'

const { scratch, out } = generateFixture(t)

interface Generated {
  allOperations: OperationTable
  groups: string[]
  rateLimits: Record<string, unknown>
  recursiveSchemas: TSchema[]
}
const generated = (await tsImport(join(out, 'index.ts'), import.meta.url)) as Generated
const bundle = JSON.parse(readFileSync(join(out, 'openapi.json'), 'utf8'))

const operation = (id: string): OperationTable[string] => {
  const found = generated.allOperations[id]
  assert.ok(found, id)
  return found
}

const startApp = async (): Promise<FastifyInstance> => {
  const app: FastifyInstance = fastify({
    ajv: { customOptions: { removeAdditional: false, discriminator: true, allowUnionTypes: true } }
  })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  for (const schema of generated.recursiveSchemas) app.addSchema(schema)
  return app
}

const bird = {
  id: 'b1',
  name: 'Ann',
  parent: null,
  home: { kind: 'nest', tree: 'oak' },
  tags: { colour: 'red' },
  hatched: '2026-01-02',
  family: { name: 'root', children: [{ name: 'leaf', children: [] }] },
  extra: { anything: [1] }
}

test('the same documents give the same files, and earlier files are deleted', async () => {
  const before = new Map(readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]))
  writeFileSync(join(out, 'left-over.ts'), '')
  assert.equal(generate(fixture, out).status, 0)
  assert.deepEqual(new Map(readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')])), before)
  assert.deepEqual([...before.keys()].sort(), [
    'bird-watchers.ts',
    'birds.ts',
    'client-methods.ts',
    'client.ts',
    'index.ts',
    'openapi.json',
    'problems.ts',
    'shared.ts',
    'tools.ts'
  ])
})

test('a folder with other files is not cleared', async () => {
  const folder = join(scratch, 'precious')
  mkdirSync(folder)
  writeFileSync(join(folder, 'letter.txt'), 'dear')
  const { status, output } = generate(fixture, folder)
  assert.equal(status, 1)
  assert.match(output, /letter\.txt.*--out/)
  assert.equal(readFileSync(join(folder, 'letter.txt'), 'utf8'), 'dear')
})

test("the bundle has the package's version, ordered tag groups, and no instructions to the generator", async () => {
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  assert.equal(bundle.info.version, version)
  assert.deepEqual(bundle['x-tagGroups'], [
    { name: 'Second', tags: ['Bird watchers'] },
    { name: 'First', tags: ['Birds'] }
  ])
  assert.equal(bundle['x-common'], undefined)
  assert.equal(bundle['x-tagGroups-order'], undefined)
  assert.equal(JSON.stringify(bundle).includes('.yaml#'), false)
  assert.deepEqual(Object.keys(bundle.webhooks), ['bird.created'])
})

test('x-common applies to every matching operation, and the operation’s own definitions take precedence', async () => {
  const { get, post } = bundle.paths['/v1/birds']
  assert.deepEqual(Object.keys(post.responses), ['201', '400', '401', '415', '422', '429', '500'])
  assert.deepEqual(Object.keys(get.responses), ['200', '400', '401', '429', '500'])
  assert.match(get.responses['429'].description, /Its own/)
  assert.deepEqual(get.responses['200'].headers, { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } })
  assert.ok(bundle.components.responses.Invalid.headers['X-Request-Id'])
  assert.deepEqual(Object.keys(bundle.paths['/v1/birds/{id}.txt'].get.responses), ['200', '400', '429', '500'])
  assert.deepEqual(post.parameters, [{ $ref: '#/components/parameters/IdempotencyKey' }])
})

test('the table contains the rules that the server enforces on each operation', async () => {
  assert.deepEqual(generated.groups, ['bird-watchers', 'birds'])
  assert.deepEqual(generated.rateLimits, {
    read: { limit: 300, windowSeconds: 60 },
    write: { limit: 60, windowSeconds: 60 }
  })
  const { schema: _schema, ...rest } = operation('createBird')
  assert.deepEqual(rest, {
    operationId: 'createBird',
    method: 'POST',
    path: '/v1/birds',
    url: '/v1/birds',
    group: 'birds',
    tag: 'Birds',
    bodyTypes: ['application/json'],
    bodyRequired: true,
    security: [['PartnerKey']],
    scopes: ['birds:write'],
    rateLimitClass: 'write',
    idempotent: true,
    extensions: { 'x-audit': { resource: 'bird' } }
  })
  assert.equal(operation('renameBird').url, '/v1/birds/:id/rename')
  assert.equal(operation('renameBird').idempotent, false, 'x-idempotent: false')
  assert.equal(operation('refreshSession').idempotent, false, 'a refresh cookie alone does not identify a caller')
  assert.deepEqual(operation('renameBird').bodyTypes, ['application/x-www-form-urlencoded', 'application/json'])
  assert.deepEqual(operation('listBirds').security, [['PartnerKey'], []])
  assert.equal(operation('listBirds').rateLimitClass, 'read')
  assert.equal(JSON.stringify(generated.allOperations).includes('Left out of the code'), false)
})

test('a request is validated against the documents, and defaults are filled in', async (t) => {
  const app = await startApp()
  t.teardown(() => app.close())
  const { method, url, schema } = operation('createBird')
  app.route({
    method,
    url,
    schema: { body: schema.body, headers: schema.headers },
    handler: async (request) => request.body
  })
  const send = (payload: object) => app.inject({ method: 'POST', url: '/v1/birds', payload })
  const good = { name: 'Ann', home: { kind: 'nest', tree: 'oak' } }

  assert.deepEqual((await send(good)).json(), { ...good, legs: 2, wings: 2 })
  for (const extra of [
    { nickname: null, mood: null },
    { mood: 'calm', legs: 0 },
    { code: 'a' },
    { code: 7 },
    { home: { kind: 'box', sizes: [1.5] } }
  ]) {
    const response = await send({ ...good, ...extra })
    assert.equal(response.statusCode, 200, response.body)
  }
  const bad = [
    { name: '' },
    { mood: 'angry' },
    { legs: 9 },
    { legs: 1.5 },
    { surprise: true },
    { code: {} },
    { nickname: {} },
    { home: { kind: 'nest' } },
    { home: { kind: 'cave' } },
    { home: null }
  ]
  for (const extra of bad) assert.equal((await send({ ...good, ...extra })).statusCode, 400, JSON.stringify(extra))
  assert.equal((await send({ name: 'Ann' })).statusCode, 400)
})

test('query, path and header parameters, forms and optional bodies are validated', async (t) => {
  const app = await startApp()
  t.teardown(() => app.close())
  for (const id of ['listBirds', 'renameBird', 'deleteBird']) {
    const {
      method,
      url,
      schema: { response: _response, ...schema }
    } = operation(id)
    app.route({ method, url, schema, handler: async ({ query, body, params }) => ({ query, body, params }) })
  }
  const list = (query: string) => app.inject(`/v1/birds?${query}`)
  assert.deepEqual((await list('kind=owl')).json().query, { kind: ['owl'], limit: 100 })
  assert.deepEqual((await list('kind=owl&kind=wren&limit=5')).json().query, { kind: ['owl', 'wren'], limit: 5 })
  for (const query of ['limit=0', 'limit=x', 'kind=hen', 'since=yesterday'])
    assert.equal((await list(query)).statusCode, 400, query)

  const url = '/v1/birds/b1/rename'
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const renamed = await app.inject({
    method: 'POST',
    url,
    headers: { ...form, 'if-match': '3' },
    payload: 'name=Ann&loud=true'
  })
  assert.deepEqual(renamed.json(), { query: {}, body: { name: 'Ann', loud: true }, params: { id: 'b1' } })
  assert.equal(
    (await app.inject({ method: 'POST', url, headers: form, payload: 'name=Ann' })).statusCode,
    400,
    'If-Match is required'
  )

  assert.equal((await app.inject({ method: 'DELETE', url })).statusCode, 200, 'an optional body may be missing')
  assert.deepEqual((await app.inject({ method: 'DELETE', url, payload: {} })).json().body, { reason: 'none' })
  assert.equal((await app.inject({ method: 'DELETE', url, payload: { reason: {} } })).statusCode, 400)
})

test('responses are serialised: null, recursion, alternatives, free-form members, text, and empty ones', async (t) => {
  const app = await startApp()
  t.teardown(() => app.close())
  const serve = (id: string, url: string, response: unknown, status: number, type?: string) => {
    app.get(url, { schema: { response: operation(id).schema.response } }, async (_request, reply) => {
      if (type) reply.type(type)
      return reply.code(status).send(response)
    })
  }
  serve('createBird', '/bird', bird, 201)
  serve(
    'createBird',
    '/child',
    { ...bird, parent: { id: 'p1', secret: 'dropped' }, home: { kind: 'box', sizes: [1, 2.5] } },
    201
  )
  serve('createBird', '/problem', { title: 'busy', status: 429, more: { a: [1] } }, 429, 'application/problem+json')
  serve('listBirds', '/busy', { title: 'busy', status: 429, until: '2026-01-02', more: 1 }, 429)
  serve('renameBird', '/null', null, 204)
  serve('renameBird', '/undefined', undefined, 204)
  serve('describeBird', '/text', 'a "bird"', 200, 'text/plain')

  assert.deepEqual((await app.inject('/bird')).json(), bird)
  const child = (await app.inject('/child')).json()
  assert.deepEqual(child.parent, { id: 'p1' })
  assert.deepEqual(child.home, { kind: 'box', sizes: [1, 2.5] })
  assert.deepEqual((await app.inject('/problem')).json(), { title: 'busy', status: 429, more: { a: [1] } })
  assert.deepEqual((await app.inject('/busy')).json(), { title: 'busy', status: 429, until: '2026-01-02', more: 1 })
  for (const url of ['/null', '/undefined']) {
    const response = await app.inject(url)
    assert.deepEqual([response.statusCode, response.body, response.headers['content-type']], [204, '', undefined], url)
  }
  assert.equal((await app.inject('/text')).body, 'a "bird"')
})

test('the static types match the documents, both for handlers and for callers', async () => {
  const file = join(out, 'types.check.ts')
  writeFileSync(
    file,
    `
import type { Static } from '@sinclair/typebox'
import type { Bird, Branch, NewBird } from './birds.ts'
import { allOperations } from './index.ts'
import type { components } from './client.ts'
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
type Query = Static<typeof allOperations.listBirds.schema.querystring>
export const checks: true[] = [
  true satisfies Same<NewBird['mood'], 'calm' | 'cross' | null | undefined>,
  true satisfies Same<NewBird['wings'], number>,
  true satisfies Same<NewBird['code'], string | number | undefined>,
  true satisfies Same<NewBird['home']['kind'], 'nest' | 'box'>,
  true satisfies Same<Bird['parent'], { id: string } | null>,
  true satisfies Same<Bird['tags'], Record<string, string>>,
  true satisfies Same<Branch['children'][number]['children'][number]['name'], string>,
  true satisfies Same<Query['limit'], number>,
  true satisfies Same<Query['kind'], ('owl' | 'wren')[] | undefined>,
  true satisfies Same<typeof allOperations.createBird.method, 'POST'>,
  true satisfies Same<keyof typeof allOperations.refreshSession.schema.response, 200 | 400 | 401 | 429 | 500>,
  true satisfies Same<components['schemas']['NewBird']['wings'], number | undefined>
]
`
  )
  const { config } = ts.readConfigFile(join(home, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, home)
  const program = ts.createProgram([file], { ...options, incremental: false, tsBuildInfoFile: undefined })
  const diagnostics = ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  rmSync(file)
  assert.deepEqual(diagnostics, [])
})
