import type { Selection } from 'kysely'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import '../tables.ts'

const columns = [
  'id',
  'position',
  'name',
  'description',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt'
] as const

export type Project = Selection<Database, 'projects', (typeof columns)[number]>

/** Lists projects of a partner, newest first, before the given position. */
export const listProjects = async (db: Db, partnerId: string, before: number | undefined, limit: number) =>
  await db
    .selectFrom('projects')
    .select(columns)
    .where('partner_id', '=', partnerId)
    .$if(before !== undefined, (query) => query.where('position', '<', before ?? 0))
    .orderBy('position', 'desc')
    .limit(limit)
    .execute()

const selectProject = (db: Db, partnerId: string, id: string) =>
  db.selectFrom('projects').select(columns).where('partner_id', '=', partnerId).where('id', '=', id)

export const findProject = async (db: Db, partnerId: string, id: string): Promise<Project | undefined> =>
  await selectProject(db, partnerId, id).executeTakeFirst()

/** Locks a project against changes and new tasks until the transaction ends. */
export const lockProject = async (db: Trx, partnerId: string, id: string): Promise<Project | undefined> =>
  await selectProject(db, partnerId, id).forUpdate().executeTakeFirst()

/** Locks a project against deletion until the transaction ends. @returns whether the project exists. */
export const holdProject = async (db: Trx, partnerId: string, id: string): Promise<boolean> =>
  (await selectProject(db, partnerId, id).forKeyShare().executeTakeFirst()) !== undefined

/** Selects the projects of a partner. */
export const selectProjects = (db: Db, partnerId: string) =>
  db.selectFrom('projects').select(columns).where('partner_id', '=', partnerId)

type NewProject = Pick<FieldsOf<'projects'>, 'id' | 'partnerId' | 'name' | 'description'>

export const insertProject = async (db: Trx, project: NewProject, now: Date): Promise<Project> =>
  await db
    .insertInto('projects')
    .values({ ...toRow(project), created_at: now, updated_at: now })
    .returning(columns)
    .executeTakeFirstOrThrow()

type ProjectChanges = Partial<Pick<Project, 'name' | 'description'>>

/** Changes a project and increments its version. */
export const updateProject = async (db: Trx, id: string, changes: ProjectChanges, now: Date): Promise<Project> =>
  await db
    .updateTable('projects')
    .set((eb) => ({ ...changes, updated_at: now, version: eb('version', '+', 1) }))
    .where('id', '=', id)
    .returning(columns)
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
