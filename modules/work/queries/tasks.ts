import { sql, type Selectable, type Updateable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TaskPriority, TasksTable, TaskStatus } from '../tables.ts'

type StoredTask = Selectable<TasksTable>

/** A task with the ids of what it depends on, in the order in which they were given. */
export type TaskRow = StoredTask & { depends_on: string[] }

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
    .selectAll()
    .select(
      sql<string[]>`array(select depends_on_id from task_dependencies where task_id = tasks.id order by ordinal)`.as(
        'depends_on'
      )
    )
    .where('partner_id', '=', partnerId)

/** A page of the partner's tasks that the filter admits, newest first, older than the position given. */
export const listTasks = async (
  db: Db,
  partnerId: string,
  filter: TaskFilter,
  before: number | undefined,
  limit: number
): Promise<TaskRow[]> => {
  let query = selectTasks(db, partnerId)
  if (filter.projectId !== undefined) query = query.where('project_id', '=', filter.projectId)
  if (filter.status !== undefined) query = query.where('status', '=', filter.status)
  if (filter.priority !== undefined) query = query.where('priority', '=', filter.priority)
  if (filter.dueAtOrAfter !== undefined) query = query.where('due_on', '>=', filter.dueAtOrAfter)
  if (filter.dueBefore !== undefined) query = query.where('due_on', '<', filter.dueBefore)
  if (before !== undefined) query = query.where('position', '<', before)
  return await query.orderBy('position', 'desc').limit(limit).execute()
}

export const findTask = async (db: Db, partnerId: string, id: string): Promise<TaskRow | undefined> =>
  await selectTasks(db, partnerId).where('id', '=', id).executeTakeFirst()

/** The task, which nobody else changes until the transaction ends; its dependencies have a lock of their own. */
export const lockTask = async (db: Trx, partnerId: string, id: string): Promise<StoredTask | undefined> =>
  await db
    .selectFrom('tasks')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

export const insertTask = async (db: Trx, row: Omit<StoredTask, 'position' | 'version'>): Promise<void> => {
  await db.insertInto('tasks').values(row).execute()
}

/** Changes tasks and counts their versions up. */
export const changeTasks = async (db: Trx, ids: readonly string[], changes: Updateable<TasksTable>): Promise<void> => {
  await db
    .updateTable('tasks')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute()
}

/** Deletes a task; it also leaves the lists of those that depend on it. */
export const deleteTask = async (db: Trx, id: string): Promise<void> => {
  await db.deleteFrom('tasks').where('id', '=', id).execute()
}
