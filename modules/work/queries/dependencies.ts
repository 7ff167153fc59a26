import { sql } from 'kysely'
import type { Trx } from '../../../plugins/database/types.ts'
import type { Dependency } from '../cycles.ts'

/** Until the transaction ends nobody else changes what the partner's tasks depend on. Taken before any row, so that nobody waits in a circle. */
export const lockDependencies = async (db: Trx, partnerId: string): Promise<void> => {
  await sql`select lock_task_dependencies(${partnerId})`.execute(db)
}

/** Which of these tasks the partner has. */
export const findKnown = async (db: Trx, partnerId: string, ids: readonly string[]): Promise<Set<string>> => {
  const rows = await db
    .selectFrom('tasks')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('id', '=', sql<string>`any(${ids}::text[])`)
    .execute()
  return new Set(rows.map(({ id }) => id))
}

/** What stands behind these tasks, each dependency once and `limit` at most; not what `taskId` itself depends on. */
export const findBehind = async (
  db: Trx,
  ids: readonly string[],
  taskId: string,
  limit: number
): Promise<Dependency[]> => {
  const { rows } = await sql<{ task_id: string; depends_on_id: string }>`
    with recursive behind (task_id, depends_on_id) as (
      select task_id, depends_on_id from task_dependencies where task_id = any(${ids}::text[]) and task_id <> ${taskId}
      union
      select further.task_id, further.depends_on_id
      from behind join task_dependencies further on further.task_id = behind.depends_on_id
      where further.task_id <> ${taskId}
    )
    select task_id, depends_on_id from behind limit ${limit}`.execute(db)
  return rows.map((row) => ({ taskId: row.task_id, dependsOnId: row.depends_on_id }))
}

export const findDependants = async (db: Trx, partnerId: string, id: string): Promise<string[]> => {
  const rows = await db
    .selectFrom('task_dependencies')
    .select('task_id')
    .where('partner_id', '=', partnerId)
    .where('depends_on_id', '=', id)
    .orderBy('task_id')
    .execute()
  return rows.map(({ task_id }) => task_id)
}

/** Writes what a task depends on from now on, in this order. */
export const replaceDependencies = async (
  db: Trx,
  partnerId: string,
  taskId: string,
  dependsOn: readonly string[]
): Promise<void> => {
  await db.deleteFrom('task_dependencies').where('task_id', '=', taskId).execute()
  if (dependsOn.length === 0) return
  const rows = dependsOn.map((id, index) => ({
    partner_id: partnerId,
    task_id: taskId,
    ordinal: index + 1,
    depends_on_id: id
  }))
  await db.insertInto('task_dependencies').values(rows).execute()
}
