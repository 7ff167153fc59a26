import type { Selectable, Updateable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { ProjectsTable } from '../tables.ts'

export type ProjectRow = Selectable<ProjectsTable>

/** A page of a partner's projects, newest first, older than the position given. */
export const listProjects = async (
  db: Db,
  partnerId: string,
  before: number | undefined,
  limit: number
): Promise<ProjectRow[]> =>
  await db
    .selectFrom('projects')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .$if(before !== undefined, (query) => query.where('position', '<', before ?? 0))
    .orderBy('position', 'desc')
    .limit(limit)
    .execute()

export const findProject = async (db: Db, partnerId: string, id: string): Promise<ProjectRow | undefined> =>
  await db
    .selectFrom('projects')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('id', '=', id)
    .executeTakeFirst()

/** The project, which nobody else changes and to which no task is added until the transaction ends. */
export const lockProject = async (db: Trx, partnerId: string, id: string): Promise<ProjectRow | undefined> =>
  await db
    .selectFrom('projects')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

/** Whether the project exists; until the transaction ends nobody deletes it. */
export const holdProject = async (db: Trx, partnerId: string, id: string): Promise<boolean> =>
  (await db
    .selectFrom('projects')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('id', '=', id)
    .forKeyShare()
    .executeTakeFirst()) !== undefined

export const insertProject = async (db: Trx, row: Omit<ProjectRow, 'position' | 'version'>): Promise<ProjectRow> =>
  await db.insertInto('projects').values(row).returningAll().executeTakeFirstOrThrow()

/** Changes a project and counts its version up. */
export const changeProject = async (db: Trx, id: string, changes: Updateable<ProjectsTable>): Promise<ProjectRow> =>
  await db
    .updateTable('projects')
    .set((eb) => ({ ...changes, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow()

export const hasTasks = async (db: Trx, partnerId: string, projectId: string): Promise<boolean> =>
  (await db
    .selectFrom('tasks')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('project_id', '=', projectId)
    .limit(1)
    .executeTakeFirst()) !== undefined

export const deleteProject = async (db: Trx, id: string): Promise<void> => {
  await db.deleteFrom('projects').where('id', '=', id).execute()
}
