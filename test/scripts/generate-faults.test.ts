import assert from 'node:assert/strict'
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { t, test } from 'tap'
import { parseDocument } from 'yaml'
import { bundle as bundleSpec } from '../../scripts/generate/bundle.ts'
import { printFiles } from '../../scripts/generate/files.ts'
import { SpecError } from '../../scripts/generate/model.ts'
import { readSpec } from '../../scripts/generate/read.ts'
import { fixture, generate, generateFixture } from './generated.ts'

const { scratch } = generateFixture(t)

const rename = ['paths', '/v1/birds/{id}/rename', 'post']
const faults: { title: string; file: string; path: (string | number)[]; value: unknown; message: RegExp }[] = [
  {
    title: 'a duplicate operationId',
    file: 'bird-watchers.yaml',
    path: ['paths', '/v1/sessions', 'post', 'operationId'],
    value: 'createBird',
    message: /birds\.yaml: operationId createBird already exists in bird-watchers\.yaml\. Rename one/
  },
  {
    title: 'a duplicate component',
    file: 'bird-watchers.yaml',
    path: ['components', 'schemas', 'Nest'],
    value: { type: 'string' },
    message: /components\.schemas\.Nest already exists in bird-watchers\.yaml\. Rename one/
  },
  {
    title: 'a duplicate path and method',
    file: 'bird-watchers.yaml',
    path: ['paths', '/v1/birds'],
    value: {
      get: { operationId: 'listAgain', tags: ['Bird watchers'], security: [], 'x-required-scopes': [], responses: {} }
    },
    message: /birds\.yaml: GET \/v1\/birds already exists in bird-watchers\.yaml\. Describe each operation once/
  },
  {
    title: 'a reference to an unknown component',
    file: 'birds.yaml',
    path: ['components', 'schemas', 'Home', 'oneOf', 0, '$ref'],
    value: '#/components/schemas/Nset',
    message:
      /birds\.yaml: #\/components\/schemas\/Home\/oneOf\/0: \$ref '#\/components\/schemas\/Nset' does not exist\. .*it has .*Nest/
  },
  {
    title: 'a reference to an unknown document',
    file: 'birds.yaml',
    path: ['components', 'schemas', 'Home', 'oneOf', 0, '$ref'],
    value: './shared/comon.yaml#/components/schemas/Day',
    message: /shared\/comon\.yaml, which does not exist\. Known documents: .*shared\/common\.yaml/
  },
  {
    title: 'a reference into another group',
    file: 'bird-watchers.yaml',
    path: ['components', 'schemas', 'Flat'],
    value: { $ref: './birds.yaml#/components/schemas/Nest' },
    message: /is in another group\. Move Nest to a document in shared\//
  },
  {
    title: 'a missing tag',
    file: 'birds.yaml',
    path: ['tags'],
    value: [],
    message: /birds\.yaml: it needs exactly one tag\. Write "tags: \[\{name: Birds/
  },
  {
    title: 'a tag that does not match its document',
    file: 'birds.yaml',
    path: ['tags', 0, 'name'],
    value: 'Fowl',
    message: /birds\.yaml: its tag is 'Fowl'.*'Birds'/
  },
  {
    title: 'an operation with the tag of another document',
    file: 'birds.yaml',
    path: ['paths', '/v1/birds', 'get', 'tags'],
    value: ['Fowl'],
    message: /birds\.yaml: GET \/v1\/birds: tags is \["Fowl"\]\. Write the document's own tag only: .*\[Birds\]/
  },
  {
    title: 'an unknown rate class',
    file: 'birds.yaml',
    path: ['x-ratelimit-class'],
    value: 'fast',
    message: /birds\.yaml: POST .*x-ratelimit-class is fast\. .* has read, write/
  },
  {
    title: 'missing scopes',
    file: 'bird-watchers.yaml',
    path: ['paths', '/v1/sessions', 'post', 'x-required-scopes'],
    value: undefined,
    message: /x-required-scopes is missing\. List the scopes/
  },
  {
    title: 'a range of statuses',
    file: 'bird-watchers.yaml',
    path: ['paths', '/v1/sessions', 'post', 'responses', 'default'],
    value: { description: 'Any.' },
    message: /'default' is not a status\. List each/
  },
  {
    title: 'a default that validation would ignore',
    file: 'birds.yaml',
    path: ['components', 'schemas', 'Nest', 'properties', 'tree', 'default'],
    value: 'oak',
    message: /birds\.yaml: Home.*Nest.*tree: validation ignores a default inside oneOf or anyOf\. Remove it/
  },
  {
    title: 'a keyword that would be lost',
    file: 'birds.yaml',
    path: ['components', 'schemas', 'Parent', 'unevaluatedProperties'],
    value: false,
    message: /birds\.yaml: Parent: the generator does not support 'unevaluatedProperties'/
  },
  {
    title: 'two arguments with the same name in a tool',
    file: 'birds.yaml',
    path: ['components', 'schemas', 'Rename', 'properties', 'id'],
    value: { type: 'string' },
    message:
      /birds\.yaml: renameBird: 'id' is in the path and in the body, but a tool's arguments need unique names\. Rename one/
  },
  {
    title: 'a tool that does not say whether it is destructive',
    file: 'birds.yaml',
    path: [...rename, 'x-mcp', 'destructive'],
    value: undefined,
    message: /renameBird: x-mcp must set "destructive: true"/
  },
  {
    title: 'a default for an unknown argument of the tool',
    file: 'birds.yaml',
    path: [...rename, 'x-mcp', 'defaults', 'limit'],
    value: 20,
    message: /renameBird: x-mcp\.defaults has limit/
  },
  {
    title: 'a misspelt member of x-mcp',
    file: 'birds.yaml',
    path: [...rename, 'x-mcp', 'openworld'],
    value: true,
    message: /renameBird: x-mcp has unknown members openworld\. .*openWorld/
  },
  {
    title: 'a tool with a recursive schema',
    file: 'birds.yaml',
    path: ['paths', '/v1/birds', 'post', 'x-mcp'],
    value: { destructive: false, description: 'Makes a bird of that name.' },
    message: /createBird.*is recursive/
  }
]

for (const [index, { title, file, path, value, message }] of faults.entries()) {
  test(`rejected with its location and a fix: ${title}`, async () => {
    const spec = join(scratch, `fault-${index}`)
    cpSync(fixture, spec, { recursive: true })
    const document = parseDocument(readFileSync(join(spec, file), 'utf8'))
    if (value === undefined) document.deleteIn(path)
    else document.setIn(path, document.createNode(value))
    writeFileSync(join(spec, file), document.toString())
    await assert.rejects(
      async () => printFiles(bundleSpec(readSpec(spec), '1.0.0'), '.', '.'),
      (error: unknown) =>
        error instanceof SpecError && message.test(error.message) ? true : assert.fail(String(error))
    )
  })
}

test('an invalid document is reported on stderr with exit code 1, and the last valid output is kept', async () => {
  const spec = join(scratch, 'faulty')
  cpSync(fixture, spec, { recursive: true })
  assert.equal(generate(spec, join(spec, 'generated')).status, 0)
  writeFileSync(join(spec, 'birds.yaml'), 'openapi: 3.1.0\npaths: {')
  const { status, output } = generate(spec, join(spec, 'generated'))
  assert.equal(status, 1)
  assert.match(output, /birds\.yaml: cannot be read as YAML/)
  assert.ok(readdirSync(join(spec, 'generated')).includes('birds.ts'))
})
