import type { FastifyInstance, FastifyRequest } from 'fastify'
import { defineProblem } from '../http/errors/problem.ts'
import { credentialRefused, patIpBlocked, productionNotEnabled, unauthorized } from '../http/errors/kinds.ts'
import type { Operation } from '../operations/table.ts'
import { sameSecret } from './secrets.ts'
import { readAccessToken } from './access-tokens.ts'
import { addressOf, isAddressAllowed } from './addresses.ts'
import type { Caller } from './caller.ts'
import { findSessions, touchCredentials } from './queries.ts'

const ingestNotConfigured = defineProblem({
  status: 503,
  code: 'ingest_not_configured',
  meaning: 'This server has no ingest secret, so ingestion is disabled.',
  cure: 'The operator sets ATLAS_INGEST_SECRET and restarts the server.'
})

const bearerOf = (request: FastifyRequest): string | undefined =>
  /^bearer +(\S+)\s*$/i.exec(request.headers.authorization ?? '')?.[1]

const headerOf = (request: FastifyRequest, name: string): string | undefined => {
  const value = request.headers[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

const identifyIngest = (app: FastifyInstance, request: FastifyRequest): Caller => {
  const expected = app.config.ingestSecret
  if (expected === undefined)
    throw ingestNotConfigured('This server has no ingest secret. Set ATLAS_INGEST_SECRET, then restart it.')
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

/** The credentials that an operation, or another endpoint, accepts. */
export type Admission = Pick<Operation, 'security'>

/** The first use of the key of an agent without an owner is written at once, because whether the agent can be claimed without its key depends on it. */
const noteUse = async (
  app: FastifyInstance,
  found: NonNullable<Awaited<ReturnType<FastifyInstance['findCredential']>>>
): Promise<void> => {
  if (found.kind === 'agent_key' && found.partner_id === null && found.last_used_at === null)
    await touchCredentials(app.database.db, [found.id], app.clock.now())
  else app.noteCredentialUse(found.id)
}

const identifyCredential = async (app: FastifyInstance, request: FastifyRequest, secret: string): Promise<Caller> => {
  const found = await app.findCredential(secret)
  if (found === undefined) throw credentialRefused()
  await noteUse(app, found)
  const rateOverrides = found.rate_overrides ?? {}
  const { id: credentialId, agent_id: agentId, partner_id: partnerId, environment } = found
  if (found.kind === 'agent_key' && agentId !== null)
    return { kind: 'agent_key', credentialId, agentId, partnerId, rateOverrides }
  if (partnerId === null) throw credentialRefused()
  if (environment === 'live' && found.production_enabled !== true) {
    throw productionNotEnabled(
      'This partner is not enabled for production. Use a test credential, or ask the operator to enable it.'
    )
  }
  if (found.allowed_ips !== null && !isAddressAllowed(addressOf(request), found.allowed_ips)) {
    throw patIpBlocked(
      'The token does not allow the IP address of this request. Call from an address in its `allowedIps`.'
    )
  }
  const ofPartner = { credentialId, partnerId, environment, environments: [environment], rateOverrides }
  if (found.kind === 'token' && found.user_id !== null)
    return { kind: 'token', ...ofPartner, userId: found.user_id, scopes: found.scopes ?? [] }
  return { kind: 'partner_key', ...ofPartner, scopes: found.scopes }
}

/** Whether no credential is required. The handler checks a refresh cookie. */
const isOpen = ({ security }: Admission): boolean => security.flat().every((scheme) => scheme === 'RefreshCookie')

/**
 * Identifies the caller. The prefix of a token determines its kind.
 *
 * @returns the caller, or null for an anonymous request where that is allowed.
 * @throws ProblemError 401 for a missing, unknown, expired or revoked credential; 402 for a live one of a partner without production; 403 from an
 *   address that the token does not allow; 503 when this server has no ingest secret.
 */
export const resolveCaller = async (
  app: FastifyInstance,
  admission: Admission,
  request: FastifyRequest
): Promise<Caller | null> => {
  if (isOpen(admission)) return null
  if (admission.security.some((alternative) => alternative.includes('IngestSecret')))
    return identifyIngest(app, request)
  const token = bearerOf(request) ?? headerOf(request, 'x-api-key')
  if (token === undefined) {
    const isAnonymousAdmitted = admission.security.some((alternative) => alternative.length === 0)
    if (isAnonymousAdmitted && request.headers.authorization === undefined) return null
    throw unauthorized('Send a valid credential as `Authorization: Bearer …`.', {}, { 'www-authenticate': 'Bearer' })
  }
  if (token.length > 4096) throw credentialRefused()
  if (token.startsWith('afg_') || token.startsWith('atlas_pat_')) return await identifyCredential(app, request, token)
  return await identifySession(app, token)
}
