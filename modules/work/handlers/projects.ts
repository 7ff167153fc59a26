import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { newId } from '../../../plugins/ids.ts'
import { requireVersion } from '../../../plugins/http/if-match.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import type { operations, Project } from '../../../spec/generated/work.ts'
import { projectNotEmpty } from '../errors.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import * as queries from '../queries/projects.ts'

type ProjectOperations = Pick<
  typeof operations,
  'listProjects' | 'createProject' | 'getProject' | 'updateProject' | 'deleteProject'
>

const toProject = (row: queries.ProjectRow): Project => ({
  id: row.id,
  name: row.name,
  description: row.description,
  version: row.version,
  createdAt: row.created_at.toISOString(),
  updatedAt: row.updated_at.toISOString()
})

const noSuchProject = () => notFound('There is no such project.')

/** Locks the project that an edit is for and holds the edit to its version. */
const lockForEdit = async (db: Trx, partnerId: string, id: string, ifMatch: string | undefined): Promise<void> => {
  const row = await queries.lockProject(db, partnerId, id)
  if (row === undefined) throw noSuchProject()
  requireVersion(ifMatch, row.version)
}

export const projectHandlers = ({ clock, cursors }: FastifyInstance): Handlers<ProjectOperations> => ({
  async listProjects({ db, caller, query: { limit, cursor } }) {
    const found = await queries.listProjects(db, caller.partnerId, readPosition(cursors, 'projects', cursor), limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => cursors.encode('projects', [last.position]))
    return { items: rows.map(toProject), nextCursor }
  },

  async createProject({ db, caller: { partnerId }, body: { name, description = null } }) {
    const now = clock.now()
    return toProject(
      await queries.insertProject(db, {
        id: newId('prj'),
        partner_id: partnerId,
        name,
        description,
        created_at: now,
        updated_at: now
      })
    )
  },

  async getProject({ db, caller, params }) {
    const row = await queries.findProject(db, caller.partnerId, params.id)
    if (row === undefined) throw noSuchProject()
    return toProject(row)
  },

  async updateProject({ db, caller, params, headers, body }) {
    await lockForEdit(db, caller.partnerId, params.id, headers['if-match'])
    return toProject(await queries.changeProject(db, params.id, { ...body, updated_at: clock.now() }))
  },

  async deleteProject({ db, caller, params, headers }) {
    await lockForEdit(db, caller.partnerId, params.id, headers['if-match'])
    if (await queries.hasTasks(db, caller.partnerId, params.id))
      throw projectNotEmpty('The project still has tasks. Delete or move them first.')
    await queries.deleteProject(db, params.id)
    return null
  }
})
