import type { FastifyInstance } from 'fastify'
import { environmentOfNew, viewOfList, type Viewer } from '../../../plugins/access/viewer.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { requireVersion } from '../../../plugins/http/if-match.ts'
import { newId } from '../../../plugins/ids.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
import { pageOf, readPosition } from '../../../plugins/paging/pages.ts'
import { requireQuota } from '../../../plugins/quotas.ts'
import type { operations } from '../../../spec/generated/work.ts'
import { projectNotEmpty, projectNotFound } from '../errors.ts'
import * as queries from '../queries/projects.ts'
import { toProject } from '../wire.ts'

type Projects = 'listProjects' | 'createProject' | 'getProject' | 'updateProject' | 'deleteProject'

/** Locks a project and checks that it still has the version that the edit is based on. */
const lockForEdit = async (db: Trx, viewer: Viewer, id: string, ifMatch: string | undefined) => {
  const project = await queries.lockProject(db, viewer, id)
  if (project === undefined) throw projectNotFound()
  requireVersion(ifMatch, project.version)
  return project
}

export const projectHandlers = ({
  clock,
  cursors
}: Pick<FastifyInstance, 'clock' | 'cursors'>): Pick<Handlers<typeof operations>, Projects> => ({
  async listProjects({ db, caller, query: { limit, cursor, environment } }) {
    const list = filteredList('projects', { environment })
    const before = readPosition(cursors, list, cursor)
    const found = await queries.listProjects(db, viewOfList(caller, environment), before, limit + 1)
    const { rows, nextCursor } = pageOf(found, limit, (last) => cursors.encode(list, [last.position]))
    return { items: rows.map(toProject), nextCursor }
  },

  async createProject({ db, caller, body: { name, description = null, environment } }) {
    const { partnerId } = caller
    const project = {
      id: newId('prj'),
      partnerId,
      environment: environmentOfNew(caller, environment),
      name,
      description
    }
    const inserted = await queries.insertProject(db, project, clock.now())
    await requireQuota(db, 'projects', partnerId, queries.selectProjects(db, partnerId))
    return toProject(inserted)
  },

  async getProject({ db, caller, params }) {
    const project = await queries.findProject(db, caller, params.id)
    if (project === undefined) throw projectNotFound()
    return toProject(project)
  },

  async updateProject({ db, caller, params, headers, body }) {
    await lockForEdit(db, caller, params.id, headers['if-match'])
    return toProject(await queries.updateProject(db, params.id, body, clock.now()))
  },

  async deleteProject({ db, caller, params, headers }) {
    const project = await lockForEdit(db, caller, params.id, headers['if-match'])
    if (await queries.hasTasks(db, caller.partnerId, project)) throw projectNotEmpty()
    await queries.deleteProject(db, params.id)
    return null
  }
})
