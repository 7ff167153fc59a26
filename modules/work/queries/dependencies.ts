import { sql } from 'kysely'
import { toRow } from '../../../plugins/database/rows.ts'
import type { Environment } from '../../../plugins/access/caller.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import type { Dependency } from '../cycles.ts'

/** Locks the dependencies of a partner's tasks until the transaction ends. Take this lock before any row lock, to avoid deadlocks. */
export const lockDependencies = async (db: Trx, partnerId: string): Promise<void> => {
  await sql`select lock_task_dependencies(${partnerId})`.execute(db)
}

/** The tasks among which one can depend on another. */
export interface TaskScope {
  partnerId: string
  environment: Environment
}

/** Returns which of these ids are tasks of the partner's environment. */
export const findExisting = async (
  db: Trx,
  { partnerId, environment }: TaskScope,
  ids: readonly string[]
): Promise<Set<string>> => {
  const rows = await db
    .selectFrom('tasks')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', environment)
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** Returns up to `limit` direct and indirect dependencies of these tasks, each once, without those of `taskId` itself. */
export const findTransitive = async (db: Trx, ids: readonly string[], taskId: string, limit: number) => {
  const { rows } = await sql<Dependency>`
    with recursive transitive (task_id, depends_on_id) as (
      select task_id, depends_on_id from task_dependencies where task_id = any(${ids}::text[]) and task_id <> ${taskId}
      union
      select next.task_id, next.depends_on_id
      from transitive join task_dependencies next on next.task_id = transitive.depends_on_id
      where next.task_id <> ${taskId}
    )
    select task_id as "taskId", depends_on_id as "dependsOnId" from transitive limit ${limit}`.execute(db)
  return rows
}

/** Returns the ids of the tasks that depend on a task. */
export const findDependants = async (db: Trx, { partnerId, environment }: TaskScope, id: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('task_dependencies')
    .select('task_id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', environment)
    .where('depends_on_id', '=', id)
    .orderBy('task_id')
    .execute()
  return rows.map(({ task_id }) => task_id)
}

/** Replaces the dependencies of a task, keeping the given order. */
export const replaceDependencies = async (db: Trx, scope: TaskScope, taskId: string, dependsOn: readonly string[]) => {
  await db.deleteFrom('task_dependencies').where('task_id', '=', taskId).execute()
  if (dependsOn.length === 0) return
  const rows = dependsOn.map((dependsOnId, index) => toRow({ ...scope, taskId, ordinal: index + 1, dependsOnId }))
  await db.insertInto('task_dependencies').values(rows).execute()
}
