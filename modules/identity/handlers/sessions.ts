import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressOf } from '../../../plugins/access/addresses.ts'
import { signAccessToken, accessTokenSeconds } from '../../../plugins/access/access-tokens.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { notFound, unauthorized } from '../../../plugins/http/errors/kinds.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { SignedIn, operations } from '../../../spec/generated/identity.ts'
import { emailTaken, invalidCredentials } from '../errors.ts'
import { hashPassword, verifyPassword } from '../passwords.ts'
import {
  findHome,
  findSessionOfRefreshToken,
  insertUserWithPartner,
  listSessions,
  openSession,
  prolongSession,
  readPasswordByEmail,
  revokeSession,
  useRefreshToken,
  type Member
} from '../queries.ts'
import { clearRefreshCookie, refreshCookieName, setRefreshCookie } from '../refresh-cookie.ts'

const longestUserAgent = 300

const clientOf = (request: FastifyRequest) => ({
  ip: addressOf(request),
  userAgent: request.headers['user-agent']?.slice(0, longestUserAgent) ?? null
})

const refreshTokenOf = (app: FastifyInstance, request: FastifyRequest): string => {
  const token = request.cookies[refreshCookieName]
  if (token === undefined || token === '')
    throw unauthorized(`Send the cookie ${refreshCookieName}, which signing in sets.`, {}, clearRefreshCookie(app))
  return token
}

const signedIn = async (app: FastifyInstance, sessionId: string, member: Member): Promise<SignedIn> => {
  const claims = { userId: member.id, partnerId: member.partner_id, sessionId }
  const accessToken = await signAccessToken(app.config.jwtSecret, claims, app.clock.now())
  return { access_token: accessToken, token_type: 'Bearer', expires_in: accessTokenSeconds, user: member }
}

const signIn = async (app: FastifyInstance, trx: Trx, member: Member, request: FastifyRequest) => {
  const { id, refreshToken } = await openSession(trx, member, clientOf(request), app.clock.now())
  return { body: await signedIn(app, id, member), headers: setRefreshCookie(app, refreshToken) }
}

/**
 * Why a refresh token that could not be used could not, after ending its session if it had been used before: then two parties hold it,
 * and nobody can tell which of them stole it.
 */
const refuseRefreshToken = async (app: FastifyInstance, trx: Trx, token: string) => {
  const found = await findSessionOfRefreshToken(trx, token)
  const reused = found !== undefined && found.used_at !== null
  if (reused) await revokeSession(trx, found.session_id, app.clock.now())
  const detail = reused
    ? 'The refresh token was used before, so the session is over. Sign in again.'
    : 'The refresh token is unknown or expired. Sign in again.'
  return unauthorized(detail, {}, clearRefreshCookie(app))
}

type SessionOperations =
  'registerUser' | 'loginUser' | 'refreshSession' | 'logoutSession' | 'listSessions' | 'revokeSession'

/** Signing up, in and out, and the sessions that come of it. */
export const sessionHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, SessionOperations> => ({
  async registerUser({ body, db, request }) {
    const email = body.email.trim()
    const name = body.name?.trim() ?? email
    const passwordHash = await hashPassword(body.password)
    const member = await insertUserWithPartner(db, { email, name, passwordHash, partnerName: name }, app.clock.now())
    if (member === undefined) throw emailTaken('This address has an account already. Sign in instead.')
    const session = await signIn(app, db, member, request)
    return answer(201, session.body, session.headers)
  },

  async loginUser({ body, db, request }) {
    const user = await readPasswordByEmail(db, body.email.trim())
    const matches = await verifyPassword(user?.password_hash, body.password)
    const member = matches && user !== undefined ? await findHome(db, user.id) : undefined
    if (member === undefined) throw invalidCredentials('The address or the password is wrong.')
    const session = await signIn(app, db, member, request)
    return answer(200, session.body, session.headers)
  },

  async refreshSession({ db, request }) {
    const token = refreshTokenOf(app, request)
    const now = app.clock.now()
    const sessionId = await useRefreshToken(db, token, now)
    // Returned, not thrown: that the session is over must be committed with this answer.
    if (sessionId === undefined) return await refuseRefreshToken(app, db, token)
    const prolonged = await prolongSession(db, sessionId, now)
    if (prolonged === undefined) return unauthorized('The session is over. Sign in again.', {}, clearRefreshCookie(app))
    return answer(200, await signedIn(app, sessionId, prolonged.member), setRefreshCookie(app, prolonged.refreshToken))
  },

  async logoutSession({ db, request }) {
    // A cookie that was replaced meanwhile still names its session, and who signs out means the session.
    const found = await findSessionOfRefreshToken(db, refreshTokenOf(app, request))
    if (found === undefined) throw unauthorized('The refresh token is unknown.', {}, clearRefreshCookie(app))
    await revokeSession(db, found.session_id, app.clock.now())
    return answer(204, null, clearRefreshCookie(app))
  },

  async listSessions({ query, caller, db }) {
    const after = readTimePosition(app.cursors, 'sessions', query.cursor)
    const found = await listSessions(db, caller.userId, after, query.limit, app.clock.now())
    const { rows, nextCursor } = pageByTime(app.cursors, 'sessions', found, query.limit)
    const items = rows.map((row) => ({
      id: row.id,
      ip: row.ip,
      user_agent: row.user_agent,
      created_at: row.created_at.toISOString(),
      last_used_at: row.last_used_at.toISOString(),
      expires_at: row.expires_at.toISOString(),
      current: row.id === caller.sessionId
    }))
    return { items, nextCursor }
  },

  async revokeSession({ params, caller, db }) {
    if (!(await revokeSession(db, params.id, app.clock.now(), caller.userId)))
      throw notFound('You have no such session.')
    return null
  }
})
