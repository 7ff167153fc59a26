import { sql, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { isVisibleTo, type Viewer } from '../../../plugins/access/viewer.ts'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { mergeEnvironments } from '../../../plugins/paging/merged.ts'
import type { TaskPriority, TaskStatus } from '../tables.ts'

const columns = [
  'id',
  'position',
  'environment',
  'project_id as projectId',
  'title',
  'description',
  'priority',
  'due_on as dueOn',
  'status',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt'
] as const

/** A task with the ids of its dependencies, in the order in which the caller gave them. */
export type Task = Selection<Database, 'tasks', (typeof columns)[number]> & { dependsOn: string[] }

export interface TaskFilter {
  projectId?: string | undefined
  status?: TaskStatus | undefined
  priority?: TaskPriority | undefined
  dueAtOrAfter?: Date | undefined
  dueBefore?: Date | undefined
}

const selectTasks = (db: Db, partnerId: string) =>
  db
    .selectFrom('tasks')
    .select(columns)
    .select(
      sql<string[]>`array(select depends_on_id from task_dependencies where task_id = tasks.id order by ordinal)`.as(
        'dependsOn'
      )
    )
    .where('partner_id', '=', partnerId)

/** Lists tasks that a caller can see and that match the filter, newest first, before the given position. */
export const listTasks = async (
  db: Db,
  viewer: Viewer,
  filter: TaskFilter,
  before: number | undefined,
  limit: number
): Promise<Task[]> => {
  let query = selectTasks(db, viewer.partnerId)
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  if (filter.status !== undefined) query = query.where('status', '=', filter.status)
  if (filter.priority !== undefined) query = query.where('priority', '=', filter.priority)
  if (filter.dueAtOrAfter !== undefined) query = query.where('due_on', '>=', filter.dueAtOrAfter)
  if (filter.dueBefore !== undefined) query = query.where('due_on', '<', filter.dueBefore)
  if (before !== undefined) query = query.where('position', '<', before)
  return await mergeEnvironments(
    viewer,
    limit,
    (environment) => query.where('environment', '=', environment).orderBy('position', 'desc').limit(limit).execute(),
    (one, other) => other.position - one.position
  )
}

export const findTask = async (db: Db, viewer: Viewer, id: string): Promise<Task | undefined> =>
  await selectTasks(db, viewer.partnerId).where(isVisibleTo(viewer)).where('id', '=', id).executeTakeFirst()

/** Locks a task until the transaction ends; `lockDependencies` locks its dependencies. */
export const lockTask = async (db: Trx, viewer: Viewer, id: string) =>
  await db
    .selectFrom('tasks')
    .select(['environment', 'status', 'version'])
    .where(isVisibleTo(viewer))
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

/** Selects the tasks of a project. */
export const selectTasksOf = (db: Db, partnerId: string, project: { id: string; environment: Environment }) =>
  db
    .selectFrom('tasks')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', project.environment)
    .where('project_id', '=', project.id)

type NewTask = Omit<FieldsOf<'tasks'>, 'position' | 'version' | 'createdAt' | 'updatedAt'>

export const insertTask = async (db: Trx, task: NewTask, now: Date): Promise<void> => {
  await db
    .insertInto('tasks')
    .values({ ...toRow(task), created_at: now, updated_at: now })
    .execute()
}

/** Changes tasks and increments their versions. */
export const updateTasks = async (
  db: Trx,
  ids: readonly string[],
  changes: Partial<Omit<NewTask, 'id' | 'partnerId' | 'environment'>>,
  now: Date
): Promise<void> => {
  await db
    .updateTable('tasks')
    .set((eb) => ({ ...toRow(changes), updated_at: now, version: eb('version', '+', 1) }))
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute()
}

/** Deletes a task and removes it from the dependencies of other tasks. */
export const deleteTask = async (db: Trx, id: string): Promise<void> => {
  await db.deleteFrom('tasks').where('id', '=', id).execute()
}
