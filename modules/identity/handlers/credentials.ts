import type { FastifyInstance } from 'fastify'
import { isAddressRange } from '../../../plugins/access/addresses.ts'
import { mintCredential, revokeCredential, type CredentialRow } from '../../../plugins/access/credentials.ts'
import { notFound, validationFailed } from '../../../plugins/http/errors/kinds.ts'
import type { FieldError } from '../../../plugins/http/errors/validation.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { ApiKey, NewToken, Token, operations } from '../../../spec/generated/identity.ts'
import { listCredentials } from '../queries.ts'

const describeApiKey = (row: CredentialRow): ApiKey => ({
  id: row.id,
  name: row.name,
  environment: row.environment,
  prefix: row.hint,
  created_at: row.created_at.toISOString(),
  last_used_at: row.last_used_at?.toISOString() ?? null
})

const describeToken = (row: CredentialRow): Token => ({
  id: row.id,
  name: row.name,
  scopes: row.scopes,
  allowedIps: row.allowed_ips,
  environment: row.environment,
  prefix: row.hint,
  createdAt: row.created_at.toISOString(),
  expiresAt: row.expires_at?.toISOString() ?? null,
  lastUsedAt: row.last_used_at?.toISOString() ?? null
})

type ApiKeyOperations = 'listApiKeys' | 'createApiKey' | 'revokeApiKey'

/** The keys of a partner's backends. */
export const apiKeyHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, ApiKeyOperations> => ({
  async listApiKeys({ query, caller, db }) {
    const after = readTimePosition(app.cursors, 'api-keys', query.cursor)
    await app.writeCredentialUses()
    const found = await listCredentials(db, caller.partnerId, 'partner_key', after, query.limit)
    const { rows, nextCursor } = pageByTime(app.cursors, 'api-keys', found, query.limit)
    return { items: rows.map(describeApiKey), nextCursor }
  },

  async createApiKey({ body, caller, db }) {
    const { row, secret } = await mintCredential(db, {
      kind: 'partner_key',
      partnerId: caller.partnerId,
      environment: body.environment,
      name: body.name.trim(),
      now: app.clock.now()
    })
    return answer(201, { ...describeApiKey(row), key: secret })
  },

  async revokeApiKey({ params, caller, db }) {
    const revoked = await revokeCredential(
      db,
      { kind: 'partner_key', id: params.id, partnerId: caller.partnerId },
      app.clock.now()
    )
    if (!revoked) throw notFound('There is no such API key.')
    return null
  }
})

/** What of a new token the specification's schema cannot tell: every fault, as validation names them. */
const faultsOf = (token: NewToken, now: Date): FieldError[] => {
  const faults: FieldError[] = []
  for (const [index, range] of (token.allowedIps ?? []).entries()) {
    if (!isAddressRange(range))
      faults.push({ path: `body/allowedIps/${index}`, message: 'must be an address or a CIDR range' })
  }
  if (token.expiresAt !== undefined && !(Date.parse(token.expiresAt) > now.getTime()))
    faults.push({ path: 'body/expiresAt', message: 'must be in the future' })
  return faults
}

type TokenOperations = 'listTokens' | 'createToken' | 'revokeToken'

/** Personal access tokens. */
export const tokenHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, TokenOperations> => ({
  async listTokens({ query, caller, db }) {
    const after = readTimePosition(app.cursors, 'tokens', query.cursor)
    await app.writeCredentialUses()
    const found = await listCredentials(db, caller.partnerId, 'token', after, query.limit)
    const { rows, nextCursor } = pageByTime(app.cursors, 'tokens', found, query.limit)
    return { items: rows.map(describeToken), nextCursor }
  },

  async createToken({ body, caller, db }) {
    const now = app.clock.now()
    const errors = faultsOf(body, now)
    if (errors.length > 0)
      throw validationFailed(
        `The token cannot be minted: ${errors.map(({ path, message }) => `${path} ${message}`).join(', ')}.`,
        { errors }
      )
    const { row, secret } = await mintCredential(db, {
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
    return answer(201, { ...describeToken(row), token: secret })
  },

  async revokeToken({ params, caller, db }) {
    const revoked = await revokeCredential(
      db,
      { kind: 'token', id: params.id, partnerId: caller.partnerId },
      app.clock.now()
    )
    if (!revoked) throw notFound('There is no such token.')
    return null
  }
})
