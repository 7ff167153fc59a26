import type { FastifyInstance } from 'fastify'
import { mintCredential, revokeCredential, selectCredentials } from '../../../plugins/access/credentials.ts'
import { invalidFields, notFound } from '../../../plugins/http/errors/kinds.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import { requireQuota } from '../../../plugins/quotas.ts'
import type { operations } from '../../../spec/generated/identity.ts'
import { listCredentials } from '../queries/credentials.ts'
import { rotateCredential } from '../rotation.ts'
import { toApiKey } from '../wire.ts'

const listName = 'api-keys'

/** API keys of a partner's backends. */
export const apiKeyHandlers = ({
  clock,
  cursors,
  writeCredentialUses
}: Pick<FastifyInstance, 'clock' | 'cursors' | 'writeCredentialUses'>): Handlers<
  Pick<typeof operations, 'listApiKeys' | 'createApiKey' | 'rotateApiKey' | 'revokeApiKey'>
> => ({
  async listApiKeys({ query: { limit, cursor }, caller, db }) {
    const after = readTimePosition(cursors, listName, cursor)
    await writeCredentialUses()
    const found = await listCredentials(db, caller.partnerId, 'partner_key', clock.now(), after, limit + 1)
    const { rows, nextCursor } = pageByTime(cursors, listName, found, limit)
    return { items: rows.map(toApiKey), nextCursor }
  },

  async createApiKey({ body, caller: { partnerId }, db }) {
    const { environment, name, scopes = null, expires_at: expiry } = body
    const now = clock.now()
    const expiresAt = expiry === undefined ? null : new Date(expiry)
    if (expiresAt !== null && expiresAt <= now)
      throw invalidFields([{ path: 'body/expires_at', message: 'must be in the future' }])
    const key = { kind: 'partner_key' as const, partnerId, environment, name: name.trim(), scopes, expiresAt, now }
    const { credential, secret } = await mintCredential(db, key)
    await requireQuota(db, 'api_keys', partnerId, selectCredentials(db, partnerId, 'partner_key', now))
    return answer(201, { ...toApiKey(credential), key: secret })
  },

  async rotateApiKey({ params: { id }, body, caller, db }) {
    const rotation = { kind: 'partner_key' as const, id, overlapSeconds: body?.overlap_seconds }
    const { successor, secret, previous } = await rotateCredential(db, caller, rotation, clock.now())
    const { id: previousId, expiresAt } = previous
    return answer(201, {
      ...toApiKey(successor),
      key: secret,
      previous: { id: previousId, expires_at: expiresAt.toISOString() }
    })
  },

  async revokeApiKey({ params: { id }, caller: { partnerId }, db }) {
    const isRevoked = await revokeCredential(db, { kind: 'partner_key', id, partnerId }, clock.now())
    if (!isRevoked) throw notFound('There is no such API key.')
    return null
  }
})
