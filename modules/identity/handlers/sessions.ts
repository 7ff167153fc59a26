import type { FastifyInstance, FastifyRequest } from 'fastify'
import { addressOf } from '../../../plugins/access/addresses.ts'
import { signAccessToken, accessTokenSeconds } from '../../../plugins/access/access-tokens.ts'
import { findKnownDevice } from '../../../plugins/access/devices.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { invalidFields, notFound, unauthorized } from '../../../plugins/http/errors/kinds.ts'
import { answer } from '../../../plugins/operations/answer.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { SignedIn, operations } from '../../../spec/generated/identity.ts'
import { emailTaken, invalidCredentials } from '../errors.ts'
import { passwordFault } from '../password-rules.ts'
import type { Client, Passwords } from '../passwords.ts'
import * as queries from '../queries/sessions.ts'
import * as users from '../queries/users.ts'
import { clearRefreshCookie, refreshCookieName, setRefreshCookie, setSignInCookies } from '../cookies.ts'
import { successorsOf } from '../refresh-tokens.ts'
import { toSession, toUser } from '../wire.ts'

const maxUserAgentLength = 300
const listName = 'sessions'

type Dependencies = Pick<FastifyInstance, 'clock' | 'config' | 'cursors' | 'secrets' | 'serializeCookie'>

const clientOf = (request: FastifyRequest) => ({
  ip: addressOf(request),
  userAgent: request.headers['user-agent']?.slice(0, maxUserAgentLength) ?? null
})

const refreshTokenOf = (app: Dependencies, request: FastifyRequest): string => {
  const token = request.cookies[refreshCookieName]
  if (token === undefined || token === '')
    throw unauthorized(`The cookie ${refreshCookieName} is missing. Sign in to get it.`, {}, clearRefreshCookie(app))
  return token
}

const signedIn = async (app: Dependencies, sessionId: string, member: users.Member): Promise<SignedIn> => {
  const claims = { userId: member.id, partnerId: member.partnerId, sessionId }
  const accessToken = await signAccessToken(app.config.jwtSecret, claims, app.clock.now())
  return { access_token: accessToken, token_type: 'Bearer', expires_in: accessTokenSeconds, user: toUser(member) }
}

const signIn = async (app: Dependencies, trx: Trx, member: users.Member, request: FastifyRequest) => {
  const { id, refreshToken } = await queries.openSession(trx, member, clientOf(request), app.clock.now())
  return {
    body: await signedIn(app, id, member),
    headers: setSignInCookies(app, request, refreshToken, member.email)
  }
}

const wrongCredentials = () => invalidCredentials('The email address or the password is wrong.')

/** Replaces a refresh token by its successor, for a token that was just used by the same one. @returns undefined for any other token. */
const rotateRefreshToken = async (app: Dependencies, trx: Trx, token: string, now: Date) => {
  const successors = successorsOf(app, token)
  const [refreshToken] = successors
  const sessionId = await queries.useRefreshToken(trx, token, now)
  if (sessionId === undefined || refreshToken === undefined)
    return await queries.repeatRefreshToken(trx, token, successors, now)
  await queries.addRefreshToken(trx, sessionId, refreshToken, now)
  return { sessionId, refreshToken }
}

/** Explains why a refresh token was rejected. Revokes its session when the token was used before: one of its two holders stole it. */
const rejectRefreshToken = async (app: Dependencies, trx: Trx, token: string) => {
  const found = await queries.findSessionOfRefreshToken(trx, token)
  const isReused = found !== undefined && found.usedAt !== null
  if (isReused) await queries.revokeSession(trx, found.sessionId, app.clock.now())
  const detail = isReused
    ? 'The refresh token was already used, so the session was ended. Sign in again.'
    : 'The refresh token is unknown or expired. Sign in again.'
  return unauthorized(detail, {}, clearRefreshCookie(app))
}

type Sessions = 'registerUser' | 'loginUser' | 'refreshSession' | 'logoutSession' | 'listSessions' | 'revokeSession'

/** Sign-up, sign-in, sign-out and sessions. */
export const sessionHandlers = (
  app: Dependencies,
  passwords: Passwords
): Pick<Handlers<typeof operations>, Sessions> => ({
  async registerUser({ body, db, request }) {
    const email = body.email.trim()
    const name = body.name?.trim() ?? email
    const fault = await passwordFault(body.password, email)
    if (fault !== undefined) throw invalidFields([{ path: 'body/password', message: fault }])
    if ((await users.findPasswordByEmail(db, email)) !== undefined) throw emailTaken()
    const passwordHash = await passwords.hash(body.password, 'stranger')
    return async (trx) => {
      const user = { email, name, passwordHash, partnerName: name }
      const member = await users.insertUserWithPartner(trx, user, app.clock.now())
      if (member === undefined) throw emailTaken()
      const session = await signIn(app, trx, member, request)
      return answer(201, session.body, session.headers)
    }
  },

  async loginUser({ body, db, request }) {
    const user = await users.findPasswordByEmail(db, body.email)
    const client: Client = findKnownDevice(app, request, body.email) === undefined ? 'stranger' : 'known'
    const matches = await passwords.verify(user?.passwordHash, body.password, client)
    if (!matches || user === undefined) throw wrongCredentials()
    return async (trx) => {
      // The password may have changed while it was checked. From here on a change waits, and then ends this session.
      const isCurrent = (await users.lockPassword(trx, user.id)) === user.passwordHash
      const member = isCurrent ? await users.findDefaultMember(trx, user.id) : undefined
      if (member === undefined) throw wrongCredentials()
      const session = await signIn(app, trx, member, request)
      return answer(200, session.body, session.headers)
    }
  },

  async refreshSession({ db, request }) {
    const token = refreshTokenOf(app, request)
    const now = app.clock.now()
    const rotated = await rotateRefreshToken(app, db, token, now)
    // Returned, not thrown: the revocation must commit together with this response.
    if (rotated === undefined) return await rejectRefreshToken(app, db, token)
    const { sessionId, refreshToken } = rotated
    const member = await queries.extendSession(db, sessionId, now)
    if (member === undefined) return unauthorized('The session has ended. Sign in again.', {}, clearRefreshCookie(app))
    return answer(200, await signedIn(app, sessionId, member), setRefreshCookie(app, refreshToken))
  },

  async logoutSession({ db, request }) {
    // A used token still identifies its session, which is what the client signs out of.
    const found = await queries.findSessionOfRefreshToken(db, refreshTokenOf(app, request))
    if (found === undefined) throw unauthorized('The refresh token is unknown.', {}, clearRefreshCookie(app))
    await queries.revokeSession(db, found.sessionId, app.clock.now())
    return answer(204, null, clearRefreshCookie(app))
  },

  async listSessions({ query: { limit, cursor }, caller, db }) {
    const after = readTimePosition(app.cursors, listName, cursor)
    const found = await queries.listSessions(db, caller.userId, after, limit + 1, app.clock.now())
    const { rows, nextCursor } = pageByTime(app.cursors, listName, found, limit)
    return { items: rows.map((session) => toSession(session, caller.sessionId)), nextCursor }
  },

  async revokeSession({ params, caller, db }) {
    if (!(await queries.revokeSession(db, params.id, app.clock.now(), caller.userId)))
      throw notFound('There is no such session.')
    return null
  }
})
