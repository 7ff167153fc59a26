import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import { viewOfList, type Viewer } from '../../../plugins/access/viewer.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { requireVersion } from '../../../plugins/http/if-match.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import { requireQuota } from '../../../plugins/quotas.ts'
import type { operations, Task } from '../../../spec/generated/work.ts'
import { setDependencies } from '../dependencies.ts'
import { taskNotFound } from '../errors.ts'
import { publishTaskEvents } from '../events.ts'
import { findDependants, lockDependencies } from '../queries/dependencies.ts'
import { holdProject, type Project } from '../queries/projects.ts'
import * as queries from '../queries/tasks.ts'
import { toTask } from '../wire.ts'

type Query = Static<(typeof operations)['listTasks']['schema']['querystring']>
type TaskOperations = Pick<typeof operations, 'listTasks' | 'createTask' | 'getTask' | 'updateTask' | 'deleteTask'>

const readTask = async (db: Db, viewer: Viewer, id: string): Promise<Task> => {
  const task = await queries.findTask(db, viewer, id)
  if (task === undefined) throw taskNotFound()
  return toTask(task)
}

/** Locks a task and checks that it still has the version that the edit is based on. */
const lockForEdit = async (db: Trx, viewer: Viewer, id: string, ifMatch: string | undefined) => {
  const task = await queries.lockTask(db, viewer, id)
  if (task === undefined) throw taskNotFound()
  requireVersion(ifMatch, task.version)
  return task
}

/** Locks the project of a task against deletion. */
const holdProjectOf = async (db: Trx, viewer: Viewer, projectId: string): Promise<Project> => {
  const project = await holdProject(db, viewer, projectId)
  if (project === undefined) throw notFound('There is no project with the id that projectId names.', { projectId })
  return project
}

const readDueOn = (text: string | null): Date | null => (text === null ? null : new Date(text))

const filterOf = ({ projectId, status, priority, dueAfter, dueBefore }: Query): queries.TaskFilter => ({
  projectId,
  status,
  priority,
  dueAtOrAfter: dueAfter === undefined ? undefined : new Date(dueAfter),
  dueBefore: dueBefore === undefined ? undefined : new Date(dueBefore)
})

export const taskHandlers = ({
  clock,
  cursors,
  outbox
}: Pick<FastifyInstance, 'clock' | 'cursors' | 'outbox'>): Handlers<TaskOperations> => ({
  async listTasks({ db, caller, query }) {
    const { limit, cursor, ...filters } = query
    const list = filteredList('tasks', filters)
    const before = readPosition(cursors, list, cursor)
    const found = await queries.listTasks(db, viewOfList(caller, query.environment), filterOf(query), before, limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => cursors.encode(list, [last.position]))
    return { items: rows.map(toTask), nextCursor }
  },

  async createTask({ db, caller, body }) {
    const { partnerId } = caller
    const { projectId, title, description = null, priority, dueOn = null, status, dependsOn } = body
    if (dependsOn.length > 0) await lockDependencies(db, partnerId)
    const project = await holdProjectOf(db, caller, projectId)
    const scope = { partnerId, environment: project.environment }
    const id = newId('tsk')
    const fields = { projectId, title, description, priority, dueOn: readDueOn(dueOn), status }
    await queries.insertTask(db, { id, ...scope, ...fields }, clock.now())
    await requireQuota(db, 'tasks', projectId, queries.selectTasksOf(db, partnerId, project))
    if (dependsOn.length > 0) await setDependencies(db, scope, id, dependsOn)
    await publishTaskEvents(outbox, db, scope, [
      { type: 'task.created', taskId: id },
      ...(status === 'DONE' ? [{ type: 'task.completed' as const, taskId: id }] : [])
    ])
    return await readTask(db, caller, id)
  },

  async getTask({ db, caller, params }) {
    return await readTask(db, caller, params.id)
  },

  async updateTask({ db, caller, params: { id }, headers, body }) {
    const { partnerId } = caller
    const { dependsOn, dueOn, ...changes } = body
    if (dependsOn !== undefined) await lockDependencies(db, partnerId)
    const task = await lockForEdit(db, caller, id, headers['if-match'])
    const scope = { partnerId, environment: task.environment }
    // A task moves to a project of its own environment only.
    const viewer = { partnerId, environments: [task.environment] }
    const project = changes.projectId === undefined ? undefined : await holdProjectOf(db, viewer, changes.projectId)
    if (dependsOn !== undefined) await setDependencies(db, scope, id, dependsOn)
    const changed = { ...changes, dueOn: dueOn === undefined ? undefined : readDueOn(dueOn) }
    await queries.updateTasks(db, [id], changed, clock.now())
    if (project !== undefined)
      await requireQuota(db, 'tasks', project.id, queries.selectTasksOf(db, partnerId, project))
    await publishTaskEvents(outbox, db, scope, [
      { type: 'task.updated', taskId: id },
      ...(changes.status === 'DONE' && task.status !== 'DONE' ? [{ type: 'task.completed' as const, taskId: id }] : [])
    ])
    return await readTask(db, caller, id)
  },

  async deleteTask({ db, caller, params: { id }, headers }) {
    const { partnerId } = caller
    await lockDependencies(db, partnerId)
    const { environment } = await lockForEdit(db, caller, id, headers['if-match'])
    const scope = { partnerId, environment }
    const dependants = await findDependants(db, scope, id)
    await queries.deleteTask(db, id)
    await queries.updateTasks(db, dependants, {}, clock.now())
    await publishTaskEvents(outbox, db, scope, [
      { type: 'task.deleted', taskId: id },
      ...dependants.map((taskId) => ({ type: 'task.updated' as const, taskId }))
    ])
    return null
  }
})
