import type { FastifyInstance } from 'fastify'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import type { Handlers } from '../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../plugins/paging/pages.ts'
import type { Partner, operations } from '../../spec/generated/admin.ts'
import { findPartner, listPartners, updatePartner, type PartnerDetails } from './queries.ts'
import { toPartner } from './wire.ts'

const listName = 'partners'

const foundPartner = (partner: PartnerDetails | undefined): Partner => {
  if (partner === undefined) throw notFound('There is no such partner.')
  return toPartner(partner)
}

export const handlers = ({ cursors }: Pick<FastifyInstance, 'cursors'>): Handlers<typeof operations> => ({
  async listPartners({ query: { limit, cursor }, db }) {
    const found = await listPartners(db, readTimePosition(cursors, listName, cursor), limit + 1)
    const { rows, nextCursor } = pageByTime(cursors, listName, found, limit)
    return { items: rows.map(toPartner), nextCursor }
  },

  async getPartner({ params, db }) {
    return foundPartner(await findPartner(db, params.id))
  },

  async updatePartner({ params, body, db }) {
    const { production_enabled: productionEnabled, furnisher, rate_overrides: rateOverrides } = body
    await updatePartner(db, params.id, { productionEnabled, furnisher, rateOverrides })
    return foundPartner(await findPartner(db, params.id))
  }
})
