import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { createPartner, type Answered } from '../../credentials.ts'
import { readPages, startWorld } from './world.ts'

const world = await startWorld(t)
const { call } = world
const project = await world.project()

test('a task is created, read, changed and deleted, and every write increments its version', async () => {
  const created = await call('POST', '/v1/tasks', { projectId: project.id, title: 'Review Q3 forecast' })
  const { id } = created.body
  assert.match(id, /^tsk_[0-9A-Za-z]{22}$/)
  const at = '2026-06-14T18:00:00.000Z'
  const defaults = { description: null, priority: 'MEDIUM', dueOn: null, status: 'TODO', dependsOn: [] }
  assert.deepEqual(
    [created.status, created.body],
    [
      201,
      {
        id,
        environment: 'test',
        projectId: project.id,
        title: 'Review Q3 forecast',
        ...defaults,
        version: 1,
        createdAt: at,
        updatedAt: at
      }
    ]
  )
  world.clock.advance(1000)
  const changes = {
    title: 'Review Q4 forecast',
    description: 'All of it',
    priority: 'URGENT',
    dueOn: '2026-05-01T19:00:00+02:00',
    status: 'IN_PROGRESS'
  }
  const changed = await call('PATCH', `/v1/tasks/${id}`, changes)
  const now = {
    ...created.body,
    ...changes,
    dueOn: '2026-05-01T17:00:00.000Z',
    version: 2,
    updatedAt: '2026-06-14T18:00:01.000Z'
  }
  assert.deepEqual([changed.status, changed.body], [200, now])
  assert.deepEqual((await call('PATCH', `/v1/tasks/${id}`, { dueOn: null })).body, { ...now, dueOn: null, version: 3 })
  assert.equal(
    (await call('PATCH', `/v1/tasks/${id}`, { status: 'IN_PROGRESS' })).body.version,
    4,
    'a write that says what is so already is a write'
  )
  assert.equal((await call('GET', `/v1/tasks/${id}`)).body.version, 4)
  assert.equal((await call('DELETE', `/v1/tasks/${id}`)).status, 204)
  for (const method of ['GET', 'DELETE']) assert.equal((await call(method, `/v1/tasks/${id}`)).body.error, 'not_found')
})

test('of concurrent edits based on one version exactly one succeeds', async () => {
  const { id } = await world.task({ projectId: project.id })
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => call('PATCH', `/v1/tasks/${id}`, { title: `Edit ${n}` }, { 'if-match': '1' }))
  )
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409, 409, 409, 409, 409])
  for (const { status, body } of answers) assert.equal(body.version, 2, String(status))
  const late = await call('DELETE', `/v1/tasks/${id}`, undefined, { 'if-match': '1' })
  assert.deepEqual([late.status, late.body.error, late.body.version], [409, 'version_conflict', 2])
  assert.equal((await call('DELETE', `/v1/tasks/${id}`, undefined, { 'if-match': '2' })).status, 204)
})

test('concurrent edits without a version all succeed, and each increments the version', async () => {
  const { id } = await world.task({ projectId: project.id })
  const answers = await Promise.all(
    Array.from({ length: 8 }, (_, n) => call('PATCH', `/v1/tasks/${id}`, { title: `Edit ${n}` }))
  )
  assert.deepEqual(answers.map(({ body }) => body.version).sort(), [2, 3, 4, 5, 6, 7, 8, 9])
})

test('dependencies of a task keep their order, without duplicates, and are replaced as a whole', async () => {
  const [a, b, c] = [
    await world.task({ projectId: project.id }),
    await world.task({ projectId: (await world.project()).id }),
    await world.task({ projectId: project.id })
  ]
  const task = await world.task({ projectId: project.id, dependsOn: [c.id, a.id, c.id, b.id] })
  assert.deepEqual(task.dependsOn, [c.id, a.id, b.id])
  assert.deepEqual((await call('PATCH', `/v1/tasks/${task.id}`, { title: 'Other' })).body.dependsOn, [c.id, a.id, b.id])
  assert.deepEqual((await call('PATCH', `/v1/tasks/${task.id}`, { dependsOn: [b.id, a.id] })).body.dependsOn, [
    b.id,
    a.id
  ])
  assert.deepEqual((await call('GET', `/v1/tasks/${task.id}`)).body.dependsOn, [b.id, a.id])
  assert.deepEqual((await call('GET', '/v1/tasks?limit=1')).body.items[0].dependsOn, [b.id, a.id])
  assert.deepEqual((await call('PATCH', `/v1/tasks/${task.id}`, { dependsOn: [] })).body.dependsOn, [])
})

test('a dependency on a foreign or unknown task is rejected by position, both with the same error', async () => {
  const mine = await world.task({ projectId: project.id })
  const stranger = await createPartner(world.database)
  const theirProject = (await call('POST', '/v1/projects', { name: 'Theirs' }, {}, stranger.testKey)).body
  const theirs = (
    await call('POST', '/v1/tasks', { projectId: theirProject.id, title: 'Theirs' }, {}, stranger.testKey)
  ).body
  const dependsOn = [mine.id, theirs.id, 'tsk_none', theirs.id]
  for (const [method, path] of [
    ['POST', '/v1/tasks'],
    ['PATCH', `/v1/tasks/${mine.id}`]
  ] as const) {
    const { status, body } = await call(method, path, {
      title: 'Wrong',
      dependsOn,
      ...(method === 'POST' ? { projectId: project.id } : {})
    })
    assert.deepEqual([status, body.error, body.unknown], [422, 'unknown_dependency', [theirs.id, 'tsk_none']])
    assert.deepEqual(
      body.errors,
      [1, 2, 3].map((place) => ({ path: `body/dependsOn/${place}`, message: 'does not exist' }))
    )
  }
  assert.deepEqual((await call('GET', `/v1/tasks/${mine.id}`)).body, mine, 'nothing of a refused edit happened')
})

test('deleting a task removes it from the dependencies of others, and increments their versions', async () => {
  const gone = await world.task({ projectId: project.id })
  const stays = await world.task({ projectId: project.id })
  const waiting = await world.task({ projectId: project.id, dependsOn: [gone.id, stays.id] })
  const before = (await world.published()).length
  assert.equal((await call('DELETE', `/v1/tasks/${gone.id}`)).status, 204)
  assert.deepEqual((await call('GET', `/v1/tasks/${waiting.id}`)).body, {
    ...waiting,
    dependsOn: [stays.id],
    version: 2
  })
  assert.equal((await call('GET', `/v1/tasks/${stays.id}`)).body.version, 1)
  assert.deepEqual(await world.published(before), [`task.deleted ${gone.id}`, `task.updated ${waiting.id}`])
  assert.equal((await call('PATCH', `/v1/tasks/${waiting.id}`, { title: 'Stale' }, { 'if-match': '1' })).status, 409)
})

test('tasks are listed newest first, page by page, each once, even while others are created and deleted', async (t) => {
  const own = await startWorld(t)
  const { id: projectId } = await own.project()
  const ids: string[] = []
  for (let n = 0; n < 9; n++) ids.unshift((await own.task({ projectId, title: `Task ${n}` })).id)
  assert.deepEqual(
    (await readPages(own, '/v1/tasks', 4)).map((page) => page.map(({ id }) => id)),
    [ids.slice(0, 4), ids.slice(4, 8), ids.slice(8)]
  )
  const first = (await own.call('GET', '/v1/tasks?limit=4')).body
  await own.task({ projectId, title: 'Newer' })
  await own.call('DELETE', `/v1/tasks/${ids[3]}`)
  const second = (await own.call('GET', `/v1/tasks?limit=5&cursor=${first.nextCursor}`)).body
  assert.deepEqual([second.items.map((item: { id: string }) => item.id), second.nextCursor], [ids.slice(4), null])
})

test('filters can be combined, and apply to every page', async (t) => {
  const own = await startWorld(t)
  const projects = [await own.project(), await own.project()]
  const all: Answered['body'][] = []
  for (let n = 0; n < 24; n++) {
    const dueOn = n % 4 === 0 ? null : new Date(Date.UTC(2026, 4, 1 + n)).toISOString()
    const [status, priority] = [['TODO', 'IN_PROGRESS', 'DONE'][n % 3], ['LOW', 'URGENT'][n % 2]]
    all.unshift(await own.task({ projectId: projects[n % 2]?.id, title: `Task ${n}`, status, priority, dueOn }))
  }
  const border = new Date(Date.UTC(2026, 4, 12)).toISOString()
  const queries: [string, (task: Answered['body']) => boolean][] = [
    [`projectId=${projects[0]?.id}`, (task) => task.projectId === projects[0]?.id],
    ['projectId=prj_none', () => false],
    ['status=DONE', (task) => task.status === 'DONE'],
    ['priority=URGENT', (task) => task.priority === 'URGENT'],
    [`dueBefore=${border}`, (task) => task.dueOn !== null && task.dueOn < border],
    [`dueAfter=${border}`, (task) => task.dueOn !== null && task.dueOn >= border],
    [
      `dueAfter=2026-05-04T02:00:00%2B02:00&dueBefore=${border}`,
      (task) => task.dueOn !== null && task.dueOn >= '2026-05-04' && task.dueOn < border
    ],
    [
      `status=TODO&priority=LOW&projectId=${projects[0]?.id}`,
      (task) => task.status === 'TODO' && task.priority === 'LOW'
    ]
  ]
  for (const [query, admits] of queries) {
    const found = (await readPages(own, `/v1/tasks?${query}`, 2)).flat()
    assert.deepEqual(found, all.filter(admits), query)
  }
})

test('an invalid field or filter is rejected by name', async () => {
  const paths = ({ body }: { body: { errors: { path: string }[] } }) => body.errors.map(({ path }) => path).sort()
  const wrong = {
    title: '',
    priority: 'high',
    dueOn: '2026-02-30T00:00:00Z',
    status: 'OPEN',
    dependsOn: ['a b'],
    version: 3
  }
  assert.deepEqual(paths(await call('POST', '/v1/tasks', wrong)), [
    'body/dependsOn/0',
    'body/dueOn',
    'body/priority',
    'body/projectId',
    'body/status',
    'body/title',
    'body/version'
  ])
  const { id } = await world.task({ projectId: project.id })
  assert.deepEqual(paths(await call('PATCH', `/v1/tasks/${id}`, { title: null, dependsOn: Array(51).fill(id) })), [
    'body/dependsOn',
    'body/title'
  ])
  assert.deepEqual(paths(await call('PATCH', `/v1/tasks/${id}`, { title: 'A' }, { 'if-match': 'one' })), [
    'headers/if-match'
  ])
  assert.deepEqual(
    paths(await call('GET', '/v1/tasks?status=open&priority=1&dueBefore=tomorrow&dueAfter=2026-05-01&limit=501')),
    ['query/dueAfter', 'query/dueBefore', 'query/limit', 'query/priority', 'query/status']
  )
})

test('a time outside the years 1 to 9999 in UTC is rejected, whatever its offset', async () => {
  for (const moment of ['0001-01-01T00:00:00+01:00', '9999-12-31T23:59:59-01:00']) {
    const created = await call('POST', '/v1/tasks', {
      projectId: project.id,
      title: 'At the end of time',
      dueOn: moment
    })
    assert.deepEqual([created.status, created.body.errors?.[0].path], [400, 'body/dueOn'], created.text)
    assert.equal((await call('GET', `/v1/tasks?dueBefore=${encodeURIComponent(moment)}`)).status, 400)
  }
  for (const moment of ['0001-01-01T00:00:00.000Z', '9999-12-31T23:59:59.999Z']) {
    assert.equal((await world.task({ projectId: project.id, dueOn: moment })).dueOn, moment)
  }
})

test('tasks of other partners return 404', async () => {
  const { id } = await world.task({ projectId: project.id })
  const { testKey } = await createPartner(world.database)
  for (const [method, body] of [
    ['GET', undefined],
    ['PATCH', { title: 'Mine' }],
    ['DELETE', undefined]
  ] as const) {
    assert.equal((await call(method, `/v1/tasks/${id}`, body, { 'if-match': '9' }, testKey)).status, 404)
  }
  assert.deepEqual((await call('GET', '/v1/tasks', undefined, {}, testKey)).body, { items: [], nextCursor: null })
  assert.deepEqual((await call('GET', `/v1/tasks?projectId=${project.id}`, undefined, {}, testKey)).body.items, [])
})

test('every write emits an event, completion emits another, and rejected requests emit none', async (t) => {
  const own = await startWorld(t)
  const { id: projectId } = await own.project()
  const { id } = await own.task({ projectId })
  await own.call('PATCH', `/v1/tasks/${id}`, { status: 'DONE' })
  await own.call('PATCH', `/v1/tasks/${id}`, { status: 'DONE', title: 'Still done' })
  await own.call('PATCH', `/v1/tasks/${id}`, { status: 'TODO' })
  await own.call('PATCH', `/v1/tasks/${id}`, { status: 'DONE' }, { 'if-match': '1' })
  await own.call('PATCH', `/v1/tasks/${id}`, { dependsOn: [id] })
  const done = await own.task({ projectId, status: 'DONE' })
  await own.call('DELETE', `/v1/tasks/${id}`)
  await own.app.outbox.settle()
  const { items } = (await own.call('GET', '/v1/events?type=task.*')).body
  assert.deepEqual(
    items.map(({ type, data }: { type: string; data: unknown }) => [type, data]),
    [
      ['task.created', { task_id: id }],
      ['task.updated', { task_id: id }],
      ['task.completed', { task_id: id }],
      ['task.updated', { task_id: id }],
      ['task.updated', { task_id: id }],
      ['task.created', { task_id: done.id }],
      ['task.completed', { task_id: done.id }],
      ['task.deleted', { task_id: id }]
    ]
  )
})
