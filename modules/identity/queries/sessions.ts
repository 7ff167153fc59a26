import type { Selection } from 'kysely'
import { hashSecret } from '../../../plugins/access/secrets.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newId, randomText } from '../../../plugins/ids.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import { refreshLifetimeMs } from '../cookies.ts'
import { repeatWindowMs } from '../refresh-tokens.ts'
import { findMember, type Member } from './users.ts'

const columns = [
  'id',
  'ip',
  'user_agent as userAgent',
  'created_at as createdAt',
  'last_used_at as lastUsedAt',
  'expires_at as expiresAt'
] as const

export type Session = Selection<Database, 'sessions', (typeof columns)[number]>

export const addRefreshToken = async (trx: Trx, sessionId: string, token: string, now: Date): Promise<void> => {
  const expiresAt = new Date(now.getTime() + refreshLifetimeMs)
  await trx
    .insertInto('refresh_tokens')
    .values({ hash: hashSecret(token), session_id: sessionId, created_at: now, expires_at: expiresAt })
    .execute()
}

/** Opens a session for a member. @returns its id and its first refresh token. */
export const openSession = async (
  trx: Trx,
  member: Member,
  client: { ip: string; userAgent: string | null },
  now: Date
) => {
  const id = newId('ses')
  const expiresAt = new Date(now.getTime() + refreshLifetimeMs)
  await trx
    .insertInto('sessions')
    .values({
      id,
      user_id: member.id,
      partner_id: member.partnerId,
      ip: client.ip,
      user_agent: client.userAgent,
      created_at: now,
      last_used_at: now,
      expires_at: expiresAt
    })
    .execute()
  const refreshToken = randomText(48)
  await addRefreshToken(trx, id, refreshToken, now)
  return { id, refreshToken }
}

/** Finds the session of a refresh token, used or not. */
export const findSessionOfRefreshToken = async (trx: Trx, token: string) =>
  await trx
    .selectFrom('refresh_tokens')
    .select(['session_id as sessionId', 'used_at as usedAt'])
    .where('hash', '=', hashSecret(token))
    .executeTakeFirst()

/**
 * Marks a refresh token as used. Of concurrent uses one succeeds: the others wait for its commit and then find the token used.
 * @returns the id of its session, or undefined when the token is unknown, used or expired.
 */
export const useRefreshToken = async (trx: Trx, token: string, now: Date): Promise<string | undefined> => {
  const used = await trx
    .updateTable('refresh_tokens')
    .set({ used_at: now })
    .where('hash', '=', hashSecret(token))
    .where('used_at', 'is', null)
    .where('expires_at', '>', now)
    .returning('session_id')
    .executeTakeFirst()
  return used?.session_id
}

/**
 * Accepts a used refresh token once more, shortly after its use, while the token that replaced it is unused.
 * @param successors the tokens of which one replaced it.
 * @returns the id of its session and the token that replaced it, or undefined.
 */
export const repeatRefreshToken = async (trx: Trx, token: string, successors: string[], now: Date) => {
  const repeated = await trx
    .updateTable('refresh_tokens')
    .set({ repeated_at: now })
    .where('hash', '=', hashSecret(token))
    .where('used_at', '>=', new Date(now.getTime() - repeatWindowMs))
    .where('repeated_at', 'is', null)
    .returning('session_id as sessionId')
    .executeTakeFirst()
  if (repeated === undefined) return undefined
  const unused = await trx
    .selectFrom('refresh_tokens')
    .select('hash')
    .where('hash', 'in', successors.map(hashSecret))
    .where('session_id', '=', repeated.sessionId)
    .where('used_at', 'is', null)
    .executeTakeFirst()
  const refreshToken = successors.find((successor) => hashSecret(successor).equals(unused?.hash ?? Buffer.alloc(0)))
  return refreshToken === undefined ? undefined : { sessionId: repeated.sessionId, refreshToken }
}

/** Extends a session. @returns its member, or undefined when it is revoked. */
export const extendSession = async (trx: Trx, sessionId: string, now: Date): Promise<Member | undefined> => {
  const session = await trx
    .updateTable('sessions')
    .set({ last_used_at: now, expires_at: new Date(now.getTime() + refreshLifetimeMs) })
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .returning(['user_id as userId', 'partner_id as partnerId'])
    .executeTakeFirst()
  return session === undefined ? undefined : await findMember(trx, session.userId, session.partnerId)
}

/** Revokes a session; with `userId` only a session of that user. @returns false when there is no active session. */
export const revokeSession = async (trx: Trx, sessionId: string, now: Date, userId?: string): Promise<boolean> => {
  const query = trx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
  const { numUpdatedRows } = await (
    userId === undefined ? query : query.where('user_id', '=', userId)
  ).executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Revokes every session of a user except one. */
export const revokeOtherSessions = async (trx: Trx, userId: string, keptSessionId: string, now: Date) => {
  await trx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('id', '!=', keptSessionId)
    .where('revoked_at', 'is', null)
    .execute()
}

/** Lists up to `limit` active sessions of a user, newest first. */
export const listSessions = async (
  db: Db,
  userId: string,
  after: TimePosition | undefined,
  limit: number,
  now: Date
): Promise<Session[]> =>
  await db
    .selectFrom('sessions')
    .select(columns)
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
    .$call(newestFirst(after, limit))
    .execute()
