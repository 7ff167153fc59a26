import type { FastifyInstance } from 'fastify'
import { isAddressRange } from '../../../plugins/access/addresses.ts'
import { mintCredential, revokeCredential, selectCredentials } from '../../../plugins/access/credentials.ts'
import { invalidFields, notFound } from '../../../plugins/http/errors/kinds.ts'
import type { FieldError } from '../../../plugins/http/errors/validation.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import { requireQuota } from '../../../plugins/quotas.ts'
import type { NewToken, operations } from '../../../spec/generated/identity.ts'
import { listCredentials } from '../queries/credentials.ts'
import { rotateCredential } from '../rotation.ts'
import { toToken } from '../wire.ts'

const listName = 'tokens'

/** The faults of a new token that the schema cannot express. */
const faultsOf = ({ allowedIps = [], expiresAt }: NewToken, now: Date): FieldError[] => {
  const faults = allowedIps.flatMap((range, index) =>
    isAddressRange(range)
      ? []
      : [{ path: `body/allowedIps/${index}`, message: 'must be an IP address or a CIDR range, such as 203.0.113.0/24' }]
  )
  if (expiresAt !== undefined && !(Date.parse(expiresAt) > now.getTime()))
    faults.push({ path: 'body/expiresAt', message: 'must be in the future' })
  return faults
}

/** Personal access tokens. */
export const tokenHandlers = ({
  clock,
  cursors,
  writeCredentialUses
}: Pick<FastifyInstance, 'clock' | 'cursors' | 'writeCredentialUses'>): Handlers<
  Pick<typeof operations, 'listTokens' | 'createToken' | 'rotateToken' | 'revokeToken'>
> => ({
  async listTokens({ query: { limit, cursor }, caller, db }) {
    const after = readTimePosition(cursors, listName, cursor)
    await writeCredentialUses()
    const found = await listCredentials(db, caller.partnerId, 'token', clock.now(), after, limit + 1)
    const { rows, nextCursor } = pageByTime(cursors, listName, found, limit)
    return { items: rows.map(toToken), nextCursor }
  },

  async createToken({ body, caller, db }) {
    const now = clock.now()
    const faults = faultsOf(body, now)
    if (faults.length > 0) throw invalidFields(faults)
    const { credential, secret } = await mintCredential(db, {
      kind: 'token',
      partnerId: caller.partnerId,
      userId: caller.userId,
      environment: body.environment,
      name: body.name.trim(),
      scopes: body.scopes,
      allowedIps: body.allowedIps ?? null,
      expiresAt: body.expiresAt === undefined ? null : new Date(body.expiresAt),
      now
    })
    await requireQuota(db, 'tokens', caller.partnerId, selectCredentials(db, caller.partnerId, 'token', now))
    return answer(201, { ...toToken(credential), token: secret })
  },

  async rotateToken({ params: { id }, body, caller, db }) {
    const rotation = { kind: 'token' as const, id, overlapSeconds: body?.overlapSeconds }
    const { successor, secret, previous } = await rotateCredential(db, caller, rotation, clock.now())
    return answer(201, {
      ...toToken(successor),
      token: secret,
      previous: { id: previous.id, expiresAt: previous.expiresAt.toISOString() }
    })
  },

  async revokeToken({ params: { id }, caller: { partnerId }, db }) {
    const isRevoked = await revokeCredential(db, { kind: 'token', id, partnerId }, clock.now())
    if (!isRevoked) throw notFound('There is no such token.')
    return null
  }
})
