import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { newId } from '../../../plugins/ids.ts'
import { requireVersion } from '../../../plugins/http/if-match.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations, Task, TaskChanges } from '../../../spec/generated/work.ts'
import { setDependencies } from '../dependencies.ts'
import { publishTaskEvents } from '../events.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import { findDependants, lockDependencies } from '../queries/dependencies.ts'
import { holdProject } from '../queries/projects.ts'
import * as queries from '../queries/tasks.ts'

type Query = Static<(typeof operations)['listTasks']['schema']['querystring']>
type TaskOperations = Pick<typeof operations, 'listTasks' | 'createTask' | 'getTask' | 'updateTask' | 'deleteTask'>

const toTask = (row: queries.TaskRow): Task => ({
  id: row.id,
  projectId: row.project_id,
  title: row.title,
  description: row.description,
  priority: row.priority,
  dueOn: row.due_on?.toISOString() ?? null,
  status: row.status,
  dependsOn: row.depends_on,
  version: row.version,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString()
})

const noSuchTask = () => notFound('There is no such task.')

const readTask = async (db: Db, partnerId: string, id: string): Promise<Task> => {
  const row = await queries.findTask(db, partnerId, id)
  if (row === undefined) throw noSuchTask()
  return toTask(row)
}

const requireProject = async (db: Trx, partnerId: string, projectId: string): Promise<void> => {
  if (!(await holdProject(db, partnerId, projectId)))
    throw notFound('There is no such project for the task.', { projectId })
}

const momentOf = (text: string | null): Date | null => (text === null ? null : new Date(text))

const changesOf = ({ projectId, title, description, priority, dueOn, status }: TaskChanges) => ({
  ...(projectId === undefined ? {} : { project_id: projectId }),
  ...(title === undefined ? {} : { title }),
  ...(description === undefined ? {} : { description }),
  ...(priority === undefined ? {} : { priority }),
  ...(dueOn === undefined ? {} : { due_on: momentOf(dueOn) }),
  ...(status === undefined ? {} : { status })
})

const filterOf = ({ projectId, status, priority, dueAfter, dueBefore }: Query): queries.TaskFilter => ({
  projectId,
  status,
  priority,
  dueAtOrAfter: dueAfter === undefined ? undefined : new Date(dueAfter),
  dueBefore: dueBefore === undefined ? undefined : new Date(dueBefore)
})

export const taskHandlers = ({ clock, cursors, outbox }: FastifyInstance): Handlers<TaskOperations> => ({
  async listTasks({ db, caller, query }) {
    const { limit, cursor } = query
    const found = await queries.listTasks(
      db,
      caller.partnerId,
      filterOf(query),
      readPosition(cursors, 'tasks', cursor),
      limit + 1
    )
    const { rows, nextCursor } = pageOf(found, limit, (last) => cursors.encode('tasks', [last.position]))
    return { items: rows.map(toTask), nextCursor }
  },

  async createTask({
    db,
    caller: { partnerId },
    body: { projectId, title, description = null, priority, dueOn = null, status, dependsOn }
  }) {
    if (dependsOn.length > 0) await lockDependencies(db, partnerId)
    await requireProject(db, partnerId, projectId)
    const id = newId('tsk')
    const now = clock.now()
    const fields = { title, description, priority, due_on: momentOf(dueOn), status }
    await queries.insertTask(db, {
      id,
      partner_id: partnerId,
      project_id: projectId,
      ...fields,
      created_at: now,
      updated_at: now
    })
    if (dependsOn.length > 0) await setDependencies(db, partnerId, id, dependsOn)
    await publishTaskEvents(outbox, db, partnerId, [
      { type: 'task.created', taskId: id },
      ...(status === 'DONE' ? [{ type: 'task.completed' as const, taskId: id }] : [])
    ])
    return await readTask(db, partnerId, id)
  },

  async getTask({ db, caller, params }) {
    return await readTask(db, caller.partnerId, params.id)
  },

  async updateTask({ db, caller: { partnerId }, params: { id }, headers, body }) {
    if (body.dependsOn !== undefined) await lockDependencies(db, partnerId)
    const task = await queries.lockTask(db, partnerId, id)
    if (task === undefined) throw noSuchTask()
    requireVersion(headers['if-match'], task.version)
    if (body.projectId !== undefined) await requireProject(db, partnerId, body.projectId)
    if (body.dependsOn !== undefined) await setDependencies(db, partnerId, id, body.dependsOn)
    await queries.changeTasks(db, [id], { ...changesOf(body), updated_at: clock.now() })
    await publishTaskEvents(outbox, db, partnerId, [
      { type: 'task.updated', taskId: id },
      ...(body.status === 'DONE' && task.status !== 'DONE' ? [{ type: 'task.completed' as const, taskId: id }] : [])
    ])
    return await readTask(db, partnerId, id)
  },

  async deleteTask({ db, caller: { partnerId }, params: { id }, headers }) {
    await lockDependencies(db, partnerId)
    const task = await queries.lockTask(db, partnerId, id)
    if (task === undefined) throw noSuchTask()
    requireVersion(headers['if-match'], task.version)
    const dependants = await findDependants(db, partnerId, id)
    await queries.deleteTask(db, id)
    await queries.changeTasks(db, dependants, { updated_at: clock.now() })
    await publishTaskEvents(outbox, db, partnerId, [
      { type: 'task.deleted', taskId: id },
      ...dependants.map((taskId) => ({ type: 'task.updated' as const, taskId }))
    ])
    return null
  }
})
