import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import { t, test } from 'tap'
import { curlSample } from '../../scripts/generate/samples/curl.ts'
import type { SampleCall } from '../../scripts/generate/samples/sample-call.ts'
import { startApp } from '../build-app.ts'
import { createPartner, send } from '../credentials.ts'
import { samples } from './samples.ts'

const run = promisify(execFile)
const { url, database, config } = await startApp(t)
const { testKey } = await createPartner(database)
const key = testKey
const env = {
  PATH: process.env.PATH,
  ATLAS_URL: url,
  ATLAS_API_KEY: testKey,
  ATLAS_INGEST_SECRET: config.ingestSecret ?? ''
}
const uuidgen = 'command -v uuidgen >/dev/null || uuidgen() { cat /proc/sys/kernel/random/uuid; }'

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the tests read responses as plain JSON
const curl = async (source: string): Promise<{ status: number; body: any }> => {
  const { stdout } = await run('bash', ['-c', `${uuidgen}\n${source} -s -w '\\n%{http_code}'`], { env })
  const [, text = '', status] = /^([\s\S]*)\n(\d{3})$/.exec(stdout) ?? []
  return { status: Number(status), body: text.startsWith('{') ? JSON.parse(text) : text }
}

const sourceOf = (operationId: string, ids: Record<string, string> = {}): string => {
  const source = samples('curl').find((sample) => sample.operationId === operationId)?.source ?? ''
  return Object.entries(ids).reduce((text, [from, to]) => {
    assert.ok(text.includes(from), `${operationId}: ${from}`)
    return text.replaceAll(from, to)
  }, source)
}

test('curl samples run as printed, with the reader’s own ids', async () => {
  assert.equal((await curl(sourceOf('getHealth'))).status, 200)
  const project = await curl(sourceOf('createProject'))
  assert.equal(project.status, 201)
  const task = await curl(sourceOf('createTask', { prj_5Rw2: project.body.id }))
  assert.deepEqual([task.status, task.body.title], [201, 'Review Q3 forecast'])
  assert.equal((await curl(sourceOf('listTasks'))).body.items.length, 1)
  assert.equal((await curl(sourceOf('getTask', { tsk_9Ud4: task.body.id }))).body.id, task.body.id)
  assert.equal(
    (await curl(sourceOf('deleteTask', { tsk_9Ud4: task.body.id, 'If-Match: 3': `If-Match: ${task.body.version}` })))
      .status,
    204
  )
  const { body } = await send(url, 'POST', '/v1/sandbox/public_token', { key, body: { institution_id: 'ins_109508' } })
  assert.ok(body.public_token)
  const [, placeholder = ''] = /"public_token": "([^"]+)"/.exec(sourceOf('linkAccounts')) ?? []
  assert.equal((await curl(sourceOf('linkAccounts', { [placeholder]: body.public_token }))).status, 200)
  assert.equal((await curl(sourceOf('listTransactions'))).status, 200)
  assert.equal((await curl(sourceOf('registerAgent'))).status, 201)
  assert.equal((await curl(sourceOf('pingIngest'))).status, 200)
})

test('a sample quotes every character of an example, so that the shell reads it as text', async () => {
  const title = `It's "$HOME" \`id\` \\ $(id) !x\n%`
  const method = {
    verb: 'POST',
    path: '/v1/projects',
    idempotent: true,
    body: { mediaType: 'application/json', required: true, examples: [] }
  } as unknown as SampleCall['method']
  const made = await curl(
    curlSample({ method, pathValues: [], query: {}, body: { name: title }, credential: 'bearer', ifMatch: undefined })
  )
  assert.deepEqual([made.status, made.body.name], [201, title])
  const lookup = { verb: 'GET', path: '/v1/idempotency/{key}', idempotent: false } as unknown as SampleCall['method']
  const found = await curl(
    curlSample({
      method: lookup,
      pathValues: [`a"$(id)'!\`id\``],
      query: {},
      body: undefined,
      credential: 'bearer',
      ifMatch: undefined
    })
  )
  assert.deepEqual([found.status, found.body.error], [404, 'not_found'])
})

const python = spawnSync('python3', ['--version']).status === 0 ? false : 'Python is not installed'

test('every Python sample is valid Python', { skip: python }, async () => {
  const check =
    'import ast, json, sys\nfor sample in json.load(sys.stdin): ast.parse(sample["source"], sample["operationId"])'
  const { status, stderr } = spawnSync('python3', ['-c', check], {
    input: JSON.stringify(samples('Python')),
    encoding: 'utf8'
  })
  assert.equal(stderr, '')
  assert.equal(status, 0)
})
