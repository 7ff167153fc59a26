import assert from 'node:assert/strict'
import type { NewmanRunSummary } from 'newman'
import { t, test } from 'tap'
import { operations } from '../../architecture/document.ts'
import { startApp } from '../../build-app.ts'
import { createPartner } from '../../credentials.ts'
import { downloadPostmanFiles, faultsOf, runFiles } from '../../run-collection.ts'

const ingestSecret = 'an-ingest-secret-of-a-test-0123456789'
const server = await startApp(t, { env: { ATLAS_INGEST_SECRET: ingestSecret } })

const files = await downloadPostmanFiles(server.url)
const { collection, environment } = files
const items = collection.item.flatMap((folder) => folder.item)

const run = async (given?: Record<string, string>, folder?: string): Promise<NewmanRunSummary> =>
  await runFiles(files, given, folder)

const statusesOf = (summary: NewmanRunSummary, name: string): number[] =>
  summary.run.executions.filter(({ item }) => item.name === name).map(({ response }) => response.code)

const keysOf = (summary: NewmanRunSummary): string[] =>
  summary.run.executions.flatMap(({ request }) => request.headers.get('Idempotency-Key') ?? [])

test('the collection passes twice on one server, unconfigured, with a new key for each request', async () => {
  const keys: string[] = []
  for (const time of ['first', 'second']) {
    const summary = await run()
    assert.deepEqual(faultsOf(summary), [], time)
    assert.equal(summary.run.executions.length, items.length)
    assert.equal(summary.run.stats.assertions.total, items.length)
    keys.push(...keysOf(summary))
  }
  assert.ok(keys.length > 40)
  assert.equal(new Set(keys).size, keys.length)
  for (const key of keys) assert.match(key, /^[0-9a-f-]{36}$/)
})

test('with a partner key and the ingest secret, the collection passes beside data of other partners', async () => {
  const { testKey } = await createPartner(server.database)
  const summary = await run({ apiKey: testKey, ingestSecret })
  assert.deepEqual(faultsOf(summary), [])
  const sent = summary.run.executions
    .filter(({ item }) => item.name === 'List webhook endpoints')
    .map(({ request }) => request.headers.get('Authorization'))
  assert.deepEqual(sent, [`Bearer ${testKey}`])
  assert.deepEqual(statusesOf(summary, 'Report up to 500 usage events'), [200])
})

test('failing requests are reported, and the idempotency key of the environment is sent', async () => {
  const summary = await run({ apiKey: 'afg_test_unknown', idempotencyKey: 'my-own-key' }, 'Webhooks')
  assert.ok(faultsOf(summary).some((fault) => fault.startsWith('List webhook endpoints: ') && fault.includes('401')))
  assert.deepEqual([...new Set(keysOf(summary))], ['my-own-key'])
})

test('the collection has every operation, a folder for each tag, and bodies and responses', async () => {
  assert.equal(collection.info.schema, 'https://schema.getpostman.com/json/collection/v2.1.0/collection.json')
  assert.deepEqual(
    collection.item.map(({ name }) => name).toSorted(),
    [...new Set(operations.map(({ tag }) => tag))].toSorted()
  )
  const held = new Set(items.map(({ request }) => `${request.method} /${request.url.path.join('/')}`))
  assert.deepEqual(
    [...held].toSorted(),
    operations.map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`).toSorted()
  )
  for (const { name, request, response } of items) {
    assert.ok(response.length > 0, name)
    assert.ok(
      response.every(({ code }) => code >= 200 && code < 300),
      name
    )
    if (['PUT', 'PATCH'].includes(request.method)) assert.ok(request.body !== undefined, name)
  }
})

test('the environment has the address of the server and no secret', async (t) => {
  assert.deepEqual(Object.fromEntries(environment.values.map(({ key, value }) => [key, value])), {
    baseUrl: server.url,
    apiKey: '',
    idempotencyKey: '',
    ingestSecret: '',
    operatorToken: ''
  })
  const published = await startApp(t, { env: { ATLAS_PUBLIC_URL: 'https://api.example.com' } })
  const [baseUrl] = (await downloadPostmanFiles(published.url)).environment.values
  assert.equal(baseUrl?.value, 'https://api.example.com')
})
