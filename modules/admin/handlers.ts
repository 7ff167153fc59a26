import type { FastifyInstance } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../plugins/paging/pages.ts'
import type { Partner, operations } from '../../spec/generated/admin.ts'
import { findPartner, listPartners, updatePartner, type PartnerRow } from './queries.ts'

const describePartner = (row: PartnerRow): Partner => ({ ...row, created_at: row.created_at.toISOString() })

const orNotFound = (row: PartnerRow | undefined): Partner => {
  if (row === undefined) throw notFound('There is no such partner.')
  return describePartner(row)
}

export const handlers = (app: FastifyInstance): Handlers<typeof operations> => ({
  async listPartners({ query, db }) {
    const after = readTimePosition(app.cursors, 'partners', query.cursor)
    const { rows, nextCursor } = pageByTime(
      app.cursors,
      'partners',
      await listPartners(db, after, query.limit),
      query.limit
    )
    return { items: rows.map(describePartner), nextCursor }
  },

  async getPartner({ params, db }) {
    return orNotFound(await findPartner(db, params.id))
  },

  async updatePartner({ params, body, db }) {
    await updatePartner(db, params.id, {
      productionEnabled: body.production_enabled,
      rateOverrides: body.rate_overrides
    })
    return orNotFound(await findPartner(db, params.id))
  }
})
