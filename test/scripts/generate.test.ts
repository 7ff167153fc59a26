import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { TSchema } from '@sinclair/typebox'
import { tsImport } from 'tsx/esm/api'
import ts from 'typescript'
import { parseDocument } from 'yaml'
import { bundle as bundleSpec } from '../../scripts/generate/bundle.ts'
import { printFiles } from '../../scripts/generate/files.ts'
import { SpecError } from '../../scripts/generate/model.ts'
import { readSpec } from '../../scripts/generate/read.ts'
import type { ToolTemplate } from '../../plugins/mcp/template.ts'
import type { OperationTable } from '../../plugins/operations/table.ts'

const home = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const fixture = join(home, 'test', 'fixtures', 'spec')
// Inside the project, because what is generated imports the project's packages and its table types.
mkdirSync(join(home, '.cache'), { recursive: true })
const scratch = mkdtempSync(join(home, '.cache', 'generate-test-'))
after(() => rmSync(scratch, { recursive: true, force: true }))

function generate(spec: string, out: string): { status: number | null, output: string } {
  const script = join(home, 'scripts', 'generate.ts')
  const run = spawnSync(process.execPath, ['--import', 'tsx', script, '--spec', spec, '--out', out], { cwd: home, encoding: 'utf8' })
  return { status: run.status, output: run.stdout + run.stderr }
}

const out = join(scratch, 'generated')
const first = generate(fixture, out)
assert.equal(first.status, 0, first.output)

interface Generated {
  allOperations: OperationTable
  groups: string[]
  rateLimits: Record<string, unknown>
  recursiveSchemas: TSchema[]
}
const generated = await tsImport(join(out, 'index.ts'), import.meta.url) as Generated
const bundle = JSON.parse(readFileSync(join(out, 'openapi.json'), 'utf8'))

function operation(id: string): OperationTable[string] {
  const found = generated.allOperations[id]
  assert.ok(found, id)
  return found
}

async function startApp(): Promise<FastifyInstance> {
  const app: FastifyInstance = fastify({ ajv: { customOptions: { removeAdditional: false, discriminator: true, allowUnionTypes: true } } })
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(String(body))))
  })
  for (const schema of generated.recursiveSchemas) app.addSchema(schema)
  return app
}

const bird = {
  id: 'b1', name: 'Ann', parent: null, home: { kind: 'nest', tree: 'oak' }, tags: { colour: 'red' }, hatched: '2026-01-02',
  family: { name: 'root', children: [{ name: 'leaf', children: [] }] }, extra: { anything: [1] }
}

test('the same documents give the same files, and what was there before is cleared', () => {
  const before = new Map(readdirSync(out).map(name => [name, readFileSync(join(out, name), 'utf8')]))
  writeFileSync(join(out, 'left-over.ts'), '')
  assert.equal(generate(fixture, out).status, 0)
  assert.deepEqual(new Map(readdirSync(out).map(name => [name, readFileSync(join(out, name), 'utf8')])), before)
  assert.deepEqual([...before.keys()].sort(), ['bird-watchers.ts', 'birds.ts', 'client-methods.ts', 'client.ts', 'index.ts', 'openapi.json', 'shared.ts', 'tools.ts'])
})

test('a folder that holds other things is not cleared', () => {
  const folder = join(scratch, 'precious')
  mkdirSync(folder)
  writeFileSync(join(folder, 'letter.txt'), 'dear')
  const { status, output } = generate(fixture, folder)
  assert.equal(status, 1)
  assert.match(output, /letter\.txt.*--out/)
  assert.equal(readFileSync(join(folder, 'letter.txt'), 'utf8'), 'dear')
})

test('the bundle has the package\'s version, ordered tag groups, and no instructions to the generator', () => {
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))
  assert.equal(bundle.info.version, version)
  assert.deepEqual(bundle['x-tagGroups'], [{ name: 'Second', tags: ['Bird watchers'] }, { name: 'First', tags: ['Birds'] }])
  assert.equal(bundle['x-common'], undefined)
  assert.equal(bundle['x-tagGroups-order'], undefined)
  assert.equal(JSON.stringify(bundle).includes('.yaml#'), false)
  assert.deepEqual(Object.keys(bundle.webhooks), ['bird.created'])
})

test('x-common reaches every operation that it is meant for, and yields to what the operation says itself', () => {
  const { get, post } = bundle.paths['/v1/birds']
  assert.deepEqual(Object.keys(post.responses), ['201', '400', '401', '415', '422', '429', '500'])
  assert.deepEqual(Object.keys(get.responses), ['200', '400', '401', '429', '500'])
  assert.match(get.responses['429'].description, /Its own/)
  assert.deepEqual(get.responses['200'].headers, { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } })
  assert.ok(bundle.components.responses.Invalid.headers['X-Request-Id'])
  assert.deepEqual(Object.keys(bundle.paths['/v1/birds/{id}.txt'].get.responses), ['200', '400', '429', '500'])
  assert.deepEqual(post.parameters, [{ $ref: '#/components/parameters/IdempotencyKey' }])
})

test('the table tells of each operation what the server enforces', () => {
  assert.deepEqual(generated.groups, ['bird-watchers', 'birds'])
  assert.deepEqual(generated.rateLimits, { read: { limit: 300, windowSeconds: 60 }, write: { limit: 60, windowSeconds: 60 } })
  const { schema: _schema, ...rest } = operation('createBird')
  assert.deepEqual(rest, {
    operationId: 'createBird', method: 'POST', path: '/v1/birds', url: '/v1/birds', group: 'birds', tag: 'Birds',
    bodyTypes: ['application/json'], bodyRequired: true, security: [['PartnerKey']], scopes: ['birds:write'],
    rateLimitClass: 'write', idempotent: true, extensions: { 'x-audit': { resource: 'bird' } }
  })
  assert.equal(operation('renameBird').url, '/v1/birds/:id/rename')
  assert.equal(operation('renameBird').idempotent, false, 'x-idempotent: false')
  assert.equal(operation('refreshSession').idempotent, false, 'a refresh cookie alone makes no caller')
  assert.deepEqual(operation('renameBird').bodyTypes, ['application/x-www-form-urlencoded', 'application/json'])
  assert.deepEqual(operation('listBirds').security, [['PartnerKey'], []])
  assert.equal(operation('listBirds').rateLimitClass, 'read')
  assert.equal(JSON.stringify(generated.allOperations).includes('Left out of the code'), false)
})

test('a request is validated as the documents say, and defaults are filled in', async t => {
  const app = await startApp()
  t.after(() => app.close())
  const { method, url, schema } = operation('createBird')
  app.route({ method, url, schema: { body: schema.body, headers: schema.headers }, handler: async request => request.body })
  const send = (payload: object) => app.inject({ method: 'POST', url: '/v1/birds', payload })
  const good = { name: 'Ann', home: { kind: 'nest', tree: 'oak' } }

  assert.deepEqual((await send(good)).json(), { ...good, legs: 2, wings: 2 })
  for (const extra of [{ nickname: null, mood: null }, { mood: 'calm', legs: 0 }, { code: 'a' }, { code: 7 }, { home: { kind: 'box', sizes: [1.5] } }]) {
    const answer = await send({ ...good, ...extra })
    assert.equal(answer.statusCode, 200, answer.body)
  }
  const bad = [
    { name: '' }, { mood: 'angry' }, { legs: 9 }, { legs: 1.5 }, { surprise: true }, { code: {} }, { nickname: {} },
    { home: { kind: 'nest' } }, { home: { kind: 'cave' } }, { home: null }
  ]
  for (const extra of bad) assert.equal((await send({ ...good, ...extra })).statusCode, 400, JSON.stringify(extra))
  assert.equal((await send({ name: 'Ann' })).statusCode, 400)
})

test('query, path and header parameters, forms and optional bodies are validated', async t => {
  const app = await startApp()
  t.after(() => app.close())
  for (const id of ['listBirds', 'renameBird', 'deleteBird']) {
    const { method, url, schema: { response: _response, ...schema } } = operation(id)
    app.route({ method, url, schema, handler: async ({ query, body, params }) => ({ query, body, params }) })
  }
  const list = (query: string) => app.inject(`/v1/birds?${query}`)
  assert.deepEqual((await list('kind=owl')).json().query, { kind: ['owl'], limit: 100 })
  assert.deepEqual((await list('kind=owl&kind=wren&limit=5')).json().query, { kind: ['owl', 'wren'], limit: 5 })
  for (const query of ['limit=0', 'limit=x', 'kind=hen', 'since=yesterday']) assert.equal((await list(query)).statusCode, 400, query)

  const url = '/v1/birds/b1/rename'
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const renamed = await app.inject({ method: 'POST', url, headers: { ...form, 'if-match': '3' }, payload: 'name=Ann&loud=true' })
  assert.deepEqual(renamed.json(), { query: {}, body: { name: 'Ann', loud: true }, params: { id: 'b1' } })
  assert.equal((await app.inject({ method: 'POST', url, headers: form, payload: 'name=Ann' })).statusCode, 400, 'If-Match is required')

  assert.equal((await app.inject({ method: 'DELETE', url })).statusCode, 200, 'an optional body may be missing')
  assert.deepEqual((await app.inject({ method: 'DELETE', url, payload: {} })).json().body, { reason: 'none' })
  assert.equal((await app.inject({ method: 'DELETE', url, payload: { reason: {} } })).statusCode, 400)
})

test('answers are serialised: null, recursion, alternatives, free members, text, and nothing at all', async t => {
  const app = await startApp()
  t.after(() => app.close())
  const serve = (id: string, url: string, answer: unknown, status: number, type?: string) => {
    app.get(url, { schema: { response: operation(id).schema.response } }, async (_request, reply) => {
      if (type) reply.type(type)
      return reply.code(status).send(answer)
    })
  }
  serve('createBird', '/bird', bird, 201)
  serve('createBird', '/child', { ...bird, parent: { id: 'p1', secret: 'dropped' }, home: { kind: 'box', sizes: [1, 2.5] } }, 201)
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
    const answer = await app.inject(url)
    assert.deepEqual([answer.statusCode, answer.body, answer.headers['content-type']], [204, '', undefined], url)
  }
  assert.equal((await app.inject('/text')).body, 'a "bird"')
})

test('the static types are those of the documents, for handlers and for callers', () => {
  const file = join(out, 'types.check.ts')
  writeFileSync(file, `
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
  true satisfies Same<keyof typeof allOperations.refreshSession.schema.response, 200 | 401 | 429 | 500>,
  true satisfies Same<components['schemas']['NewBird']['wings'], number | undefined>
]
`)
  const { config } = ts.readConfigFile(join(home, 'tsconfig.json'), ts.sys.readFile)
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, home)
  const program = ts.createProgram([file], { ...options, incremental: false, tsBuildInfoFile: undefined })
  const diagnostics = ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))
  rmSync(file)
  assert.deepEqual(diagnostics, [])
})

test('an operation that is marked becomes a tool: one flat object of arguments, each with its place, and hints that are derived where they can be', async () => {
  const { tools } = await tsImport(join(out, 'tools.ts'), import.meta.url) as { tools: ToolTemplate[] }
  assert.deepEqual(tools, [{
    name: 'rename_bird', operationId: 'renameBird', title: 'Rename', description: 'Gives a bird another name.',
    inputSchema: {
      type: 'object',
      properties: {
        id: { type: 'string', maxLength: 20 }, if_match: { type: 'string', maxLength: 22, default: '*' },
        name: { type: 'string', maxLength: 20 }, loud: { type: 'boolean' }
      },
      required: ['id', 'name'],
      additionalProperties: false
    },
    annotations: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
    places: {
      id: { in: 'path', name: 'id', required: true }, if_match: { in: 'header', name: 'If-Match', required: false },
      name: { in: 'body', name: 'name', required: true }, loud: { in: 'body', name: 'loud', required: false }
    },
    sendsBody: true,
    defaults: { if_match: '*' }
  }])
})

const rename = ['paths', '/v1/birds/{id}/rename', 'post']
const faults: { title: string, file: string, path: (string | number)[], value: unknown, message: RegExp }[] = [
  { title: 'an operationId that is there already', file: 'bird-watchers.yaml', path: ['paths', '/v1/sessions', 'post', 'operationId'], value: 'createBird',
    message: /birds\.yaml: operationId createBird is in bird-watchers\.yaml already; give one of the two another name/ },
  { title: 'a component that is there already', file: 'bird-watchers.yaml', path: ['components', 'schemas', 'Nest'], value: { type: 'string' },
    message: /components\.schemas\.Nest is in bird-watchers\.yaml already; rename one/ },
  { title: 'a path and method that are there already', file: 'bird-watchers.yaml', path: ['paths', '/v1/birds'],
    value: { get: { operationId: 'listAgain', tags: ['Bird watchers'], security: [], 'x-required-scopes': [], responses: {} } },
    message: /birds\.yaml: GET \/v1\/birds is in bird-watchers\.yaml already; describe each operation once/ },
  { title: 'a reference to no component', file: 'birds.yaml', path: ['components', 'schemas', 'Home', 'oneOf', 0, '$ref'], value: '#/components/schemas/Nset',
    message: /birds\.yaml: #\/components\/schemas\/Home\/oneOf\/0: \$ref '#\/components\/schemas\/Nset' leads nowhere; .*it has .*Nest/ },
  { title: 'a reference to no document', file: 'birds.yaml', path: ['components', 'schemas', 'Home', 'oneOf', 0, '$ref'], value: './shared/comon.yaml#/components/schemas/Day',
    message: /shared\/comon\.yaml, which does not exist; there are .*shared\/common\.yaml/ },
  { title: 'a reference into another group', file: 'bird-watchers.yaml', path: ['components', 'schemas', 'Flat'], value: { $ref: './birds.yaml#/components/schemas/Nest' },
    message: /reaches into another group; move Nest to a document in shared\// },
  { title: 'a missing tag', file: 'birds.yaml', path: ['tags'], value: [], message: /birds\.yaml: it needs exactly one tag; write "tags: \[\{name: Birds/ },
  { title: 'a tag that is not named like its document', file: 'birds.yaml', path: ['tags', 0, 'name'], value: 'Fowl', message: /birds\.yaml: its tag is 'Fowl'.*'Birds'/ },
  { title: 'an operation under a foreign tag', file: 'birds.yaml', path: ['paths', '/v1/birds', 'get', 'tags'], value: ['Fowl'],
    message: /birds\.yaml: GET \/v1\/birds: tags is \["Fowl"\]; it must be exactly .*\[Birds\]/ },
  { title: 'an unknown rate class', file: 'birds.yaml', path: ['x-ratelimit-class'], value: 'fast', message: /birds\.yaml: POST .*x-ratelimit-class is fast; .* has read, write/ },
  { title: 'missing scopes', file: 'bird-watchers.yaml', path: ['paths', '/v1/sessions', 'post', 'x-required-scopes'], value: undefined, message: /x-required-scopes is missing; list the scopes/ },
  { title: 'a range of statuses', file: 'bird-watchers.yaml', path: ['paths', '/v1/sessions', 'post', 'responses', 'default'], value: { description: 'Any.' }, message: /'default' is no status; name each/ },
  { title: 'a default that validation would ignore', file: 'birds.yaml', path: ['components', 'schemas', 'Nest', 'properties', 'tree', 'default'], value: 'oak',
    message: /birds\.yaml: Home.*Nest.*tree: a default inside oneOf or anyOf is ignored.*leave it out/ },
  { title: 'a keyword that would be lost', file: 'birds.yaml', path: ['components', 'schemas', 'Parent', 'unevaluatedProperties'], value: false,
    message: /birds\.yaml: Parent: 'unevaluatedProperties' is not a keyword that the generator knows/ },
  { title: 'two arguments of one name in a tool', file: 'birds.yaml', path: ['components', 'schemas', 'Rename', 'properties', 'id'], value: { type: 'string' },
    message: /birds\.yaml: renameBird: 'id' is in its path and in its body, and a tool has one argument of a name; rename one/ },
  { title: 'a tool that does not say whether it is destructive', file: 'birds.yaml', path: [...rename, 'x-mcp', 'destructive'], value: undefined,
    message: /renameBird: x-mcp must say "destructive: true"/ },
  { title: 'a default for no argument of the tool', file: 'birds.yaml', path: [...rename, 'x-mcp', 'defaults', 'limit'], value: 20, message: /renameBird: x-mcp\.defaults names limit/ },
  { title: 'a misspelt member of x-mcp', file: 'birds.yaml', path: [...rename, 'x-mcp', 'openworld'], value: true, message: /renameBird: x-mcp has openworld; it knows .*openWorld/ },
  { title: 'a tool with a schema that leads back to itself', file: 'birds.yaml', path: ['paths', '/v1/birds', 'post', 'x-mcp'], value: { destructive: false, description: 'Makes a bird of that name.' },
    message: /createBird.*leads back to itself/ }
]

for (const [index, { title, file, path, value, message }] of faults.entries()) {
  test(`refused, with the place and the cure: ${title}`, async () => {
    const spec = join(scratch, `fault-${index}`)
    cpSync(fixture, spec, { recursive: true })
    const document = parseDocument(readFileSync(join(spec, file), 'utf8'))
    if (value === undefined) document.deleteIn(path)
    else document.setIn(path, document.createNode(value))
    writeFileSync(join(spec, file), document.toString())
    await assert.rejects(
      async () => printFiles(bundleSpec(readSpec(spec), '1.0.0'), '.', '.'),
      (error: unknown) => error instanceof SpecError && message.test(error.message) ? true : assert.fail(String(error))
    )
  })
}

test('a faulty document is told of on the error stream, ends with 1, and leaves the last good output in place', () => {
  const spec = join(scratch, 'faulty')
  cpSync(fixture, spec, { recursive: true })
  assert.equal(generate(spec, join(spec, 'generated')).status, 0)
  writeFileSync(join(spec, 'birds.yaml'), 'openapi: 3.1.0\npaths: {')
  const { status, output } = generate(spec, join(spec, 'generated'))
  assert.equal(status, 1)
  assert.match(output, /birds\.yaml: cannot be read as YAML/)
  assert.ok(readdirSync(join(spec, 'generated')).includes('birds.ts'))
})
