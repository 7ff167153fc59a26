import type { FastifyInstance } from 'fastify'
import { mintCredential, revokeCredential } from '../../../plugins/access/credentials.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import { requireQuota } from '../../../plugins/quotas.ts'
import type { operations } from '../../../spec/generated/identity.ts'
import { listCredentials, selectCredentials } from '../queries/credentials.ts'
import { toApiKey } from '../wire.ts'

const listName = 'api-keys'

/** API keys of a partner's backends. */
export const apiKeyHandlers = ({
  clock,
  cursors,
  writeCredentialUses
}: Pick<FastifyInstance, 'clock' | 'cursors' | 'writeCredentialUses'>): Handlers<
  Pick<typeof operations, 'listApiKeys' | 'createApiKey' | 'revokeApiKey'>
> => ({
  async listApiKeys({ query: { limit, cursor }, caller, db }) {
    const after = readTimePosition(cursors, listName, cursor)
    await writeCredentialUses()
    const found = await listCredentials(db, caller.partnerId, 'partner_key', after, limit + 1)
    const { rows, nextCursor } = pageByTime(cursors, listName, found, limit)
    return { items: rows.map(toApiKey), nextCursor }
  },

  async createApiKey({ body, caller: { partnerId }, db }) {
    const { environment, name } = body
    const key = { kind: 'partner_key' as const, partnerId, environment, name: name.trim(), now: clock.now() }
    const { credential, secret } = await mintCredential(db, key)
    await requireQuota(db, 'api_keys', partnerId, selectCredentials(db, partnerId, 'partner_key'))
    return answer(201, { ...toApiKey(credential), key: secret })
  },

  async revokeApiKey({ params: { id }, caller: { partnerId }, db }) {
    const isRevoked = await revokeCredential(db, { kind: 'partner_key', id, partnerId }, clock.now())
    if (!isRevoked) throw notFound('There is no such API key.')
    return null
  }
})
