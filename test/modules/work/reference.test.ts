import assert from 'node:assert/strict'
import { rateLimits } from '../../../spec/generated/index.ts'
import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { send, type Answered } from '../../credentials.ts'
import { startWorld } from './world.ts'

test('the examples of the API reference of tasks, with a token', async (t) => {
  const world = await startWorld(t)
  const { url } = world
  const token = await world.partner.token(['projects:write', 'tasks:read', 'tasks:write'])
  const bearer = { authorization: `Bearer ${token}` }
  const project = (await send(url, 'POST', '/v1/projects', { key: token, body: { name: 'Forecasts' } })).body
  const printed = {
    projectId: project.id,
    title: 'Review Q3 forecast',
    priority: 'HIGH',
    dueOn: '2026-05-01T17:00:00Z'
  }
  const create = (key: string, body: object = printed): Promise<Answered> =>
    send(url, 'POST', '/v1/tasks', {
      headers: { ...bearer, 'content-type': 'application/json', 'idempotency-key': key },
      body
    })
  let task: Answered['body']

  await t.test('the first request returns a page of 50 tasks', async () => {
    const { status, body, headers } = await send(url, 'GET', '/v1/tasks?limit=50', { headers: bearer })
    assert.deepEqual([status, body], [200, { items: [], nextCursor: null }])
    assert.match(headers.get('content-type') ?? '', /^application\/json/)
  })

  await t.test(
    'a task is created, and the same key replays the response byte for byte, whatever the body',
    async () => {
      const key = randomUUID()
      const first = await create(key)
      task = first.body
      assert.equal(first.status, 201)
      assert.match(task.id, /^tsk_/)
      const { projectId, title, priority, dueOn, status, dependsOn, version } = task
      assert.deepEqual(
        { projectId, title, priority, dueOn: Date.parse(dueOn), status, dependsOn, version },
        {
          ...printed,
          dueOn: Date.parse(printed.dueOn),
          status: 'TODO',
          dependsOn: [],
          version: 1
        }
      )
      const again = await create(key)
      assert.deepEqual([again.status, again.text, again.headers.get('idempotent-replayed')], [201, first.text, 'true'])
      const other = await create(key, { ...printed, title: 'Something else' })
      assert.deepEqual([other.status, other.text, other.headers.get('idempotency-mismatch')], [201, first.text, 'body'])
      assert.equal((await send(url, 'GET', '/v1/tasks', { headers: bearer })).body.items.length, 1)
    }
  )

  await t.test('concurrent requests with one key create one task', async () => {
    const key = randomUUID()
    const answers = await Promise.all(Array.from({ length: 6 }, () => create(key)))
    for (const { status, body } of answers)
      assert.ok(status === 201 || body.error === 'idempotency_in_flight', `${status}`)
    assert.equal(new Set(answers.filter(({ status }) => status === 201).map(({ text }) => text)).size, 1)
    assert.equal((await send(url, 'GET', '/v1/tasks', { headers: bearer })).body.items.length, 2)
  })

  await t.test('nextCursor is passed back unchanged as cursor until it is null', async () => {
    for (let n = 0; n < 99; n++) assert.equal((await create(randomUUID())).status, 201)
    const first = await send(url, 'GET', '/v1/tasks?limit=50', { headers: bearer })
    const second = await send(url, 'GET', `/v1/tasks?limit=50&cursor=${first.body.nextCursor}`, { headers: bearer })
    const third = await send(url, 'GET', `/v1/tasks?limit=50&cursor=${second.body.nextCursor}`, { headers: bearer })
    assert.deepEqual(
      [first, second, third].map(({ body }) => body.items.length),
      [50, 50, 1]
    )
    assert.deepEqual([third.body.items[0], third.body.nextCursor], [task, null])
    assert.equal(
      new Set([first, second, third].flatMap(({ body }) => body.items.map(({ id }: { id: string }) => id))).size,
      101
    )
  })

  await t.test(
    'an edit with If-Match is rejected when the task has changed, and succeeds after reading it again',
    async () => {
      const edit = (version: number) =>
        send(url, 'PATCH', `/v1/tasks/${task.id}`, {
          headers: { ...bearer, 'if-match': String(version), 'content-type': 'application/json' },
          body: { priority: 'LOW' }
        })
      assert.equal(
        (await send(url, 'PATCH', `/v1/tasks/${task.id}`, { key: token, body: { status: 'IN_PROGRESS' } })).body
          .version,
        2
      )
      const refused = await edit(task.version)
      assert.deepEqual([refused.status, refused.body.title, refused.body.version], [409, 'version_conflict', 2])
      const read = await send(url, 'GET', `/v1/tasks/${task.id}`, { headers: bearer })
      const done = await edit(read.body.version)
      assert.deepEqual(
        [done.status, done.body.priority, done.body.status, done.body.version],
        [200, 'LOW', 'IN_PROGRESS', 3]
      )
    }
  )

  await t.test('a token without tasks:write gets a problem that names the missing scope', async () => {
    const reader = await world.partner.token(['tasks:read'])
    const { status, headers, body } = await send(url, 'POST', '/v1/tasks', { key: reader, body: printed })
    assert.deepEqual([status, headers.get('content-type')], [403, 'application/problem+json'])
    assert.match(body.type, /\/errors\/insufficient-scope$/)
    assert.match(body.detail, /'tasks:write'/)
    assert.match(body.requestId, /^req_/)
    assert.deepEqual(
      [body.title, body.status, body.missingScope, headers.get('x-request-id')],
      ['insufficient_scope', 403, 'tasks:write', body.requestId]
    )
    assert.equal((await send(url, 'GET', '/v1/tasks', { key: reader })).status, 200)
    assert.equal((await send(url, 'GET', '/v1/projects', { key: reader })).body.missingScope, 'projects:read')
  })

  await t.test('a cyclic dependency is rejected with 422', async () => {
    const { status, body } = await send(url, 'PATCH', `/v1/tasks/${task.id}`, {
      key: token,
      body: { dependsOn: [task.id] }
    })
    assert.deepEqual([status, body.error, body.cycle], [422, 'cyclic_dependency', [task.id]])
  })

  await t.test(
    'every mutation by the token is in the activity, with its route and the id of the resource',
    async () => {
      const viewer = await world.partner.token(['activity:read'])
      const { items } = (await send(url, 'GET', '/v1/activity?limit=500', { key: viewer })).body
      const of = (operationId: string) =>
        items.filter(
          (row: { operationId: string; resourceId: string }) =>
            row.operationId === operationId && row.resourceId === task.id
        )
      assert.deepEqual(
        [of('createTask').length, of('updateTask').length, of('updateTask')[0].route],
        [1, 2, '/v1/tasks/{id}']
      )
    }
  )
})

test('reading and writing tasks have the rate limits of their classes', async (t) => {
  // A window so long that it does not end during the test.
  const world = await startWorld(t, { rateLimits: { ...rateLimits, write: { limit: 60, windowSeconds: 3600 } } })
  const { id: projectId } = await world.project()
  const limitOf = async (method: string, path: string, body?: object) =>
    (await world.call(method, path, body)).headers.get('x-ratelimit-limit')
  assert.equal(await limitOf('GET', '/v1/tasks'), '300')
  assert.equal(await limitOf('POST', '/v1/tasks', { projectId, title: 'Within the limit' }), '60')
  for (let left = 58; left > 0; left--) await world.call('PATCH', '/v1/tasks/tsk_none', { title: 'Counted' })
  const refused = await world.call('DELETE', '/v1/tasks/tsk_none')
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers.get('retry-after')) > 60)
  assert.equal((await world.call('GET', '/v1/tasks')).status, 200)
})
