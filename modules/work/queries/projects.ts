import type { Selection } from 'kysely'
import { isVisibleTo, type Viewer } from '../../../plugins/access/viewer.ts'
import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { mergeEnvironments } from '../../../plugins/paging/merged.ts'
import '../tables.ts'

const columns = [
  'id',
  'position',
  'environment',
  'name',
  'description',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt'
] as const

export type Project = Selection<Database, 'projects', (typeof columns)[number]>

/** Lists projects that a caller can see, newest first, before the given position. */
export const listProjects = async (db: Db, viewer: Viewer, before: number | undefined, limit: number) =>
  await mergeEnvironments(
    viewer,
    limit,
    (environment) =>
      db
        .selectFrom('projects')
        .select(columns)
        .where('partner_id', '=', viewer.partnerId)
        .where('environment', '=', environment)
        .$if(before !== undefined, (query) => query.where('position', '<', before ?? 0))
        .orderBy('position', 'desc')
        .limit(limit)
        .execute(),
    (one, other) => other.position - one.position
  )

const selectProject = (db: Db, viewer: Viewer, id: string) =>
  db.selectFrom('projects').select(columns).where(isVisibleTo(viewer)).where('id', '=', id)

export const findProject = async (db: Db, viewer: Viewer, id: string): Promise<Project | undefined> =>
  await selectProject(db, viewer, id).executeTakeFirst()

/** Locks a project against changes and new tasks until the transaction ends. */
export const lockProject = async (db: Trx, viewer: Viewer, id: string): Promise<Project | undefined> =>
  await selectProject(db, viewer, id).forUpdate().executeTakeFirst()

/** Locks a project against deletion until the transaction ends. */
export const holdProject = async (db: Trx, viewer: Viewer, id: string): Promise<Project | undefined> =>
  await selectProject(db, viewer, id).forKeyShare().executeTakeFirst()

/** Selects the projects of a partner. */
export const selectProjects = (db: Db, partnerId: string) =>
  db.selectFrom('projects').select(columns).where('partner_id', '=', partnerId)

type NewProject = Pick<FieldsOf<'projects'>, 'id' | 'partnerId' | 'environment' | 'name' | 'description'>

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

export const hasTasks = async (
  db: Trx,
  partnerId: string,
  { id, environment }: Pick<Project, 'id' | 'environment'>
): Promise<boolean> =>
  (await db
    .selectFrom('tasks')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', environment)
    .where('project_id', '=', id)
    .limit(1)
    .executeTakeFirst()) !== undefined

export const deleteProject = async (db: Trx, id: string): Promise<void> => {
  await db.deleteFrom('projects').where('id', '=', id).execute()
}
