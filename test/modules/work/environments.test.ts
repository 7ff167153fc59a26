import assert from 'node:assert/strict'
import { t, test } from 'tap'
import { startApp } from '../../build-app.ts'
import { send, type Answered } from '../../credentials.ts'
import { createPartnerOfBoth } from '../../environments.ts'

const server = await startApp(t)
const { keys, session, partnerId } = await createPartnerOfBoth(server)

const call = async (key: string, method: string, path: string, body?: unknown): Promise<Answered> =>
  await send(server.url, method, path, { key, ...(body === undefined ? {} : { body }) })
const make = async (key: string, path: string, body: Record<string, unknown>): Promise<Answered['body']> => {
  const made = await call(key, 'POST', path, body)
  assert.equal(made.status, 201, made.text)
  return made.body
}
const projectOf = async (key: string, more: object = {}) => await make(key, '/v1/projects', { name: 'Close', ...more })
const taskIn = async (key: string, projectId: string, more: object = {}) =>
  await make(key, '/v1/tasks', { projectId, title: 'Review', ...more })

test('a task and its events belong to the environment of its project, whatever credential creates it', async () => {
  const project = await projectOf(session, { environment: 'live' })
  assert.equal(project.environment, 'live')
  const task = await taskIn(session, project.id)
  assert.equal(task.environment, 'live')
  const events = await server.database.db
    .selectFrom('events')
    .select(['type', 'environment'])
    .where('partner_id', '=', partnerId)
    .execute()
  assert.deepEqual(events, [{ type: 'task.created', environment: 'live' }])
  assert.equal((await call(keys.live, 'GET', `/v1/tasks/${task.id}`)).status, 200)
  assert.equal((await projectOf(session)).environment, 'test')
  const refused = await call(keys.test, 'POST', '/v1/projects', { name: 'Close', environment: 'live' })
  assert.deepEqual([refused.status, refused.body.errors[0].path], [400, 'body/environment'])
})

test('a task cannot be in a project, or depend on a task, of the other environment', async () => {
  const [test, live] = [await projectOf(keys.test), await projectOf(keys.live)]
  const [testTask, liveTask] = [await taskIn(keys.test, test.id), await taskIn(keys.live, live.id)]
  for (const key of [keys.test, session]) {
    const moved = await call(key, 'PATCH', `/v1/tasks/${testTask.id}`, { projectId: live.id })
    assert.deepEqual([moved.status, moved.body.projectId], [404, live.id])
    const depends = await call(key, 'PATCH', `/v1/tasks/${testTask.id}`, { dependsOn: [liveTask.id] })
    assert.deepEqual([depends.status, depends.body.error], [422, 'unknown_dependency'])
  }
  const created = await call(keys.test, 'POST', '/v1/tasks', { projectId: live.id, title: 'Review' })
  assert.equal(created.status, 404)
  const link = (environment: 'test' | 'live') =>
    server.database.db
      .insertInto('task_dependencies')
      .values({
        partner_id: partnerId,
        environment,
        task_id: testTask.id,
        ordinal: 1,
        depends_on_id: liveTask.id
      })
      .execute()
  for (const environment of ['test', 'live'] as const) await assert.rejects(link(environment), /foreign key/)
})
