import type { FastifyInstance, FastifyRequest } from 'fastify'
import { defineProblem } from '../http/errors/problem.ts'
import { credentialRefused, patIpBlocked, productionNotEnabled, unauthorized } from '../http/errors/kinds.ts'
import { sameSecret } from './secrets.ts'
import { readAccessToken } from './access-tokens.ts'
import { addressOf, isAddressAllowed } from './addresses.ts'
import type { Caller } from './caller.ts'
import { acceptedInWords, type Admission } from './credential-kinds.ts'
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

/** The kinds of secrets that their form tells apart. */
const forms = {
  key: {
    words: 'a key of a partner or an agent',
    refusal: 'The key is unknown or revoked. Create a new one.'
  },
  token: {
    words: 'a personal access token',
    refusal: 'The personal access token is unknown, expired or revoked. Create a new one.'
  },
  accessToken: {
    words: 'an access token',
    refusal: 'The access token is invalid or expired, or its session has ended. Refresh it, or sign in again.'
  },
  other: {
    words: 'another secret',
    refusal:
      'The credential is of no known kind. Keys begin with afg_test_ or afg_live_, and personal access tokens with atlas_pat_; an access token is what signing in returns.'
  }
}

const formOf = (secret: string): keyof typeof forms => {
  if (secret.startsWith('afg_')) return 'key'
  if (secret.startsWith('atlas_pat_')) return 'token'
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(secret) ? 'accessToken' : 'other'
}

/** The 401 for a secret that no caller has, by the kind that its form suggests. */
const refused = (secret: string) => credentialRefused(forms[formOf(secret)].refusal)

const identifyIngest = (app: FastifyInstance, request: FastifyRequest): Caller => {
  const expected = app.config.ingestSecret
  if (expected === undefined)
    throw ingestNotConfigured('This server has no ingest secret. Set ATLAS_INGEST_SECRET, then restart it.')
  const given = headerOf(request, 'x-atlas-ingest-secret') ?? bearerOf(request)
  if (given === undefined || !sameSecret(given, expected)) {
    throw unauthorized(
      given === undefined
        ? 'Send the ingest secret as `X-Atlas-Ingest-Secret`.'
        : `Sent: ${forms[formOf(given)].words}. This operation takes: the ingest secret, as \`X-Atlas-Ingest-Secret\`.`,
      {},
      { 'www-authenticate': 'Bearer' }
    )
  }
  return { kind: 'ingest' }
}

const identifySession = async (app: FastifyInstance, token: string): Promise<Caller> => {
  const now = app.clock.now()
  const claims = await readAccessToken(app.config.jwtSecret, token, now)
  const [session] =
    claims === undefined ? [] : await findSessions(app.database.db, { sessionId: claims.sessionId, now })
  if (session === undefined) throw refused(token)
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
  if (found === undefined) throw refused(secret)
  const rateOverrides = found.rate_overrides ?? {}
  const { id: credentialId, agent_id: agentId, partner_id: partnerId, environment } = found
  if (found.kind === 'agent_key' && agentId !== null) {
    await noteUse(app, found)
    return { kind: 'agent_key', credentialId, agentId, partnerId, rateOverrides }
  }
  if (partnerId === null) throw refused(secret)
  if (environment === 'live' && found.production_enabled !== true) {
    throw productionNotEnabled(
      'This partner is not enabled for production. Use a test credential, or ask the operator to enable it.'
    )
  }
  if (found.allowed_ips !== null && !isAddressAllowed(addressOf(request), found.allowed_ips)) {
    throw patIpBlocked(
      `The token does not allow ${addressOf(request)}, the address of this request. Call from an address in its \`allowedIps\`, or create a token that allows this one.`
    )
  }
  await noteUse(app, found)
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
    const isOtherScheme = request.headers.authorization !== undefined
    const how = isOtherScheme
      ? '`Authorization` must be the word Bearer, a space and the credential'
      : 'Send a credential as `Authorization: Bearer …`'
    throw unauthorized(`${how}: ${acceptedInWords(admission)}.`, {}, { 'www-authenticate': 'Bearer' })
  }
  if (token.length > 4096) throw refused(token)
  return formOf(token) === 'key' || formOf(token) === 'token'
    ? await identifyCredential(app, request, token)
    : await identifySession(app, token)
}
