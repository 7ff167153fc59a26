import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { createPartner } from '../../credentials.ts'
import { readPages, startWorld } from './world.ts'

const world = await startWorld(t)
const { call } = world

test('a project is created, read, changed and deleted, and every write increments its version', async () => {
  const created = await call('POST', '/v1/projects', { name: 'Quarterly close' })
  const { id } = created.body
  assert.match(id, /^prj_[0-9A-Za-z]{22}$/)
  const at = '2026-06-14T18:00:00.000Z'
  assert.deepEqual(
    [created.status, created.body],
    [
      201,
      { id, environment: 'test', name: 'Quarterly close', description: null, version: 1, createdAt: at, updatedAt: at }
    ]
  )
  world.clock.advance(1000)
  const changed = await call('PATCH', `/v1/projects/${id}`, { description: 'For finance' })
  const now = { ...created.body, description: 'For finance', version: 2, updatedAt: '2026-06-14T18:00:01.000Z' }
  assert.deepEqual([changed.status, changed.body], [200, now])
  assert.deepEqual((await call('PATCH', `/v1/projects/${id}`, { description: null })).body, {
    ...now,
    description: null,
    version: 3
  })
  assert.deepEqual((await call('GET', `/v1/projects/${id}`)).body, { ...now, description: null, version: 3 })
  assert.equal((await call('DELETE', `/v1/projects/${id}`)).status, 204)
  for (const method of ['GET', 'DELETE'])
    assert.equal((await call(method, `/v1/projects/${id}`)).body.error, 'not_found')
})

test('a project edit based on an old version is rejected with the current one and changes nothing', async () => {
  const { id } = await world.project()
  assert.equal((await call('PATCH', `/v1/projects/${id}`, { name: 'B' }, { 'if-match': '1' })).body.version, 2)
  for (const [method, body] of [
    ['PATCH', { name: 'C' }],
    ['DELETE', undefined]
  ] as const) {
    const refused = await call(method, `/v1/projects/${id}`, body, { 'if-match': '1' })
    assert.deepEqual([refused.status, refused.body.error, refused.body.version], [409, 'version_conflict', 2])
  }
  assert.equal((await call('GET', `/v1/projects/${id}`)).body.name, 'B')
  assert.equal(
    (await call('PATCH', `/v1/projects/${id}`, { name: 'C' })).body.name,
    'C',
    'without If-Match the last write wins'
  )
  assert.equal((await call('PATCH', `/v1/projects/${id}`, { name: 'D' }, { 'if-match': '*' })).body.version, 4)
  assert.equal((await call('DELETE', `/v1/projects/${id}`, undefined, { 'if-match': '"4"' })).status, 204)
})

test('a project with tasks, whatever their status, cannot be deleted until they are deleted or moved', async () => {
  const [full, other] = [await world.project(), await world.project()]
  const [moved, deleted] = [
    await world.task({ projectId: full.id }),
    await world.task({ projectId: full.id, status: 'CANCELLED' })
  ]
  const refused = () => call('DELETE', `/v1/projects/${full.id}`)
  assert.deepEqual([(await refused()).status, (await refused()).body.error], [409, 'project_not_empty'])
  await call('PATCH', `/v1/tasks/${moved.id}`, { projectId: other.id })
  assert.equal((await refused()).status, 409)
  await call('DELETE', `/v1/tasks/${deleted.id}`)
  assert.equal((await refused()).status, 204)
  assert.equal((await call('GET', `/v1/tasks/${moved.id}`)).body.projectId, other.id)
})

test('a task created while its project is deleted either has a project or is not created', async () => {
  for (let round = 0; round < 10; round++) {
    const { id } = await world.project()
    const [created, deleted] = await Promise.all([
      call('POST', '/v1/tasks', { projectId: id, title: 'A race' }),
      call('DELETE', `/v1/projects/${id}`)
    ])
    assert.ok(
      (created.status === 201 && deleted.status === 409) || (created.status === 404 && deleted.status === 204),
      `${created.text} ${deleted.text}`
    )
    assert.equal((await call('GET', `/v1/projects/${id}`)).status, created.status === 201 ? 200 : 404)
  }
})

test('projects are listed newest first, page by page, each once', async (t) => {
  const own = await startWorld(t)
  const ids: string[] = []
  for (let n = 0; n < 7; n++) ids.unshift((await own.project(`Project ${n}`)).id)
  const pages = await readPages(own, '/v1/projects', 3)
  assert.deepEqual(
    pages.map((page) => page.length),
    [3, 3, 1]
  )
  assert.deepEqual(
    pages.flat().map(({ id }) => id),
    ids
  )
  const cursor = (await own.call('GET', '/v1/projects?limit=1')).body.nextCursor
  for (const wrong of [`${cursor}x`, 'abc', 'eyJpZCI6Li4ufQ==']) {
    assert.equal((await own.call('GET', `/v1/projects?cursor=${wrong}`)).body.error, 'invalid_cursor')
  }
  assert.equal(
    (await own.call('GET', `/v1/tasks?cursor=${cursor}`)).body.error,
    'invalid_cursor',
    'a cursor belongs to its list'
  )
})

test('a blank name, an unknown field and an empty change are rejected by name', async () => {
  const { id } = await world.project()
  const paths = ({ body }: { body: { errors: { path: string }[] } }) => body.errors.map(({ path }) => path)
  assert.deepEqual(paths(await call('POST', '/v1/projects', { name: ' \n ', colour: 'red' })).sort(), [
    'body/colour',
    'body/name'
  ])
  assert.deepEqual(paths(await call('POST', '/v1/projects', {})), ['body/name'])
  assert.deepEqual(paths(await call('PATCH', `/v1/projects/${id}`, { name: null })), ['body/name'])
  assert.deepEqual(paths(await call('PATCH', `/v1/projects/${id}`, {})), ['body'])
})

test('projects of other partners return 404', async () => {
  const { id } = await world.project()
  const { testKey } = await createPartner(world.database)
  for (const [method, body] of [
    ['GET', undefined],
    ['PATCH', { name: 'Mine' }],
    ['DELETE', undefined]
  ] as const) {
    assert.equal((await call(method, `/v1/projects/${id}`, body, {}, testKey)).status, 404)
  }
  assert.deepEqual((await call('GET', '/v1/projects', undefined, {}, testKey)).body, { items: [], nextCursor: null })
  const refused = await call('POST', '/v1/tasks', { projectId: id, title: 'Mine' }, {}, testKey)
  assert.deepEqual([refused.status, refused.body.error, refused.body.projectId], [404, 'not_found', id])
})
