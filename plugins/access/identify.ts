import type { FastifyInstance, FastifyRequest } from 'fastify'
import { defineProblem } from '../http/errors/problem.ts'
import { credentialRefused, productionNotEnabled, unauthorized } from '../http/errors/kinds.ts'
import type { Operation } from '../operations/table.ts'
import { sameSecret } from './secrets.ts'
import { readAccessToken } from './access-tokens.ts'
import { addressAllowed } from './addresses.ts'
import { patIpBlocked } from '../http/errors/kinds.ts'
import type { Caller } from './caller.ts'
import { findSessions } from './queries.ts'

export const ingestNotConfigured = defineProblem({
  status: 503,
  code: 'ingest_not_configured',
  meaning: 'This server has no ingest secret, so nobody can ingest.',
  cure: 'Set ATLAS_INGEST_SECRET on the server and start it again.'
})

const bearerOf = (request: FastifyRequest): string | undefined =>
  /^bearer +(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1]

const headerOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const missing = () =>
  unauthorized('Send a valid credential as `Authorization: Bearer …`.', {}, { 'www-authenticate': 'Bearer' })

const identifyIngest = (app: FastifyInstance, request: FastifyRequest): Caller => {
  const expected = app.config.ingestSecret
  if (expected === undefined)
    throw ingestNotConfigured('This server has no ingest secret. Set ATLAS_INGEST_SECRET and start it again.')
  const given = headerOf(request, 'x-atlas-ingest-secret') ?? bearerOf(request)
  if (given === undefined || !sameSecret(given, expected)) {
    throw unauthorized('Send the ingest secret as `X-Atlas-Ingest-Secret`.', {}, { 'www-authenticate': 'Bearer' })
  }
  return { kind: 'ingest' }
}

const identifySession = async (app: FastifyInstance, token: string): Promise<Caller> => {
  const now = app.clock.now()
  const claims = await readAccessToken(app.config.jwtSecret, token, now)
  const [session] =
    claims === undefined ? [] : await findSessions(app.database.db, { sessionId: claims.sessionId, now })
  if (session === undefined) throw credentialRefused()
  return {
    kind: 'session',
    sessionId: session.id,
    userId: session.user_id,
    partnerId: session.partner_id,
    role: session.role,
    operator: session.operator,
    environment: 'test',
    environments: ['test', 'live'],
    rateOverrides: session.rate_overrides
  }
}

/** What asks for a credential: an operation, or what else admits callers as one does. */
type Asking = Pick<Operation, 'security' | 'extensions'>

const identifyCredential = async (
  app: FastifyInstance,
  operation: Asking,
  request: FastifyRequest,
  secret: string
): Promise<Caller> => {
  // A collected operation's own statement looks at the credential again, so what was found a moment ago is good enough to begin with.
  const find = operation.extensions?.['x-collected'] === true ? app.findRecentCredential : app.findCredential
  const found = await find(secret)
  if (found === undefined) throw credentialRefused()
  app.noteCredentialUse(found.id)
  const rateOverrides = found.rate_overrides ?? {}
  if (found.kind === 'agent_key' && found.agent_id !== null) {
    return {
      kind: 'agent_key',
      credentialId: found.id,
      agentId: found.agent_id,
      partnerId: found.partner_id,
      rateOverrides
    }
  }
  if (found.partner_id === null) throw credentialRefused()
  if (found.environment === 'live' && found.production_enabled !== true) {
    throw productionNotEnabled(
      'This partner is not enabled for production yet; use a test credential, or ask the operator of this server.'
    )
  }
  if (found.allowed_ips !== null && !addressAllowed(request.ip, found.allowed_ips)) {
    throw patIpBlocked('The token is bound to addresses, and this request came from another one.')
  }
  const ofPartner = {
    credentialId: found.id,
    partnerId: found.partner_id,
    environment: found.environment,
    environments: [found.environment],
    rateOverrides
  }
  if (found.kind === 'token' && found.user_id !== null)
    return { kind: 'token', ...ofPartner, userId: found.user_id, scopes: found.scopes }
  return { kind: 'partner_key', ...ofPartner }
}

/** Whether an operation asks nobody who they are. A refresh cookie is the handler's to look at. */
export const asksNobody = ({ security }: Asking): boolean =>
  security.flat().every((scheme) => scheme === 'RefreshCookie')

/**
 * Tells who calls an operation, or whatever else asks for credentials as one does; the token's prefix tells which kind it is.
 *
 * @returns the caller, or null where the operation admits the anonymous and no credential was sent.
 * @throws ProblemError 401 for a missing, unknown, expired or revoked credential; 402 for a live one of a partner without production; 403 from an
 *   address that the token does not allow; 503 when ingest is not configured.
 */
export const identify = async (
  app: FastifyInstance,
  operation: Asking,
  request: FastifyRequest
): Promise<Caller | null> => {
  if (asksNobody(operation)) return null
  if (operation.security.some((alternative) => alternative.includes('IngestSecret')))
    return identifyIngest(app, request)
  const token = bearerOf(request) ?? headerOf(request, 'x-api-key')
  if (token === undefined) {
    const anonymousAdmitted = operation.security.some((alternative) => alternative.length === 0)
    if (anonymousAdmitted && request.headers.authorization === undefined) return null
    throw missing()
  }
  if (token.length > 4096) throw credentialRefused()
  if (token.startsWith('afg_') || token.startsWith('atlas_pat_'))
    return await identifyCredential(app, operation, request, token)
  return await identifySession(app, token)
}
