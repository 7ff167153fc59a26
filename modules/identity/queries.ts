import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import type { CredentialRow } from '../../plugins/access/credentials.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { newId, randomText } from '../../plugins/ids.ts'
import type { TimePosition } from '../../plugins/paging/pages.ts'
import { hashSecret } from '../../plugins/access/secrets.ts'
import { refreshLifetimeMs } from './refresh-cookie.ts'

/** A user as a member of one partner. */
export interface Member {
  id: string
  email: string
  name: string
  partner_id: string
  role: 'owner' | 'member'
}

export interface NewUser {
  email: string
  name: string
  passwordHash: string
  partnerName: string
  operator?: boolean
}

const members = (db: Db) =>
  db
    .selectFrom('users')
    .innerJoin('memberships', 'memberships.user_id', 'users.id')
    .select(['users.id', 'users.email', 'users.name', 'memberships.partner_id', 'memberships.role'])

/** Adds a user who owns a new partner; undefined when the address belongs to a user already. */
export const insertUserWithPartner = async (trx: Trx, user: NewUser, now: Date): Promise<Member | undefined> => {
  const added = await trx
    .insertInto('users')
    .values({
      id: randomUUID(),
      email: user.email,
      name: user.name,
      password_hash: user.passwordHash,
      operator: user.operator ?? false,
      created_at: now
    })
    .onConflict((conflict) => conflict.expression(sql`lower(email)`).doNothing())
    .returning(['id', 'email', 'name'])
    .executeTakeFirst()
  if (added === undefined) return undefined
  const partnerId = randomUUID()
  await trx.insertInto('partners').values({ id: partnerId, name: user.partnerName, created_at: now }).execute()
  await trx.insertInto('memberships').values({ user_id: added.id, partner_id: partnerId, role: 'owner' }).execute()
  return { ...added, partner_id: partnerId, role: 'owner' }
}

/**
 * The password of the user with this address, locked against being changed: a session that is opened while the password changes is either
 * seen, and ended, by that change, or refused for the old password.
 */
export const readPasswordByEmail = async (trx: Trx, email: string) =>
  await trx
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .where(sql`lower(email)`, '=', sql`lower(${email})`)
    .forShare()
    .executeTakeFirst()

/** The partner that a user signs in for: one that the user owns before others. */
export const findHome = async (db: Db, userId: string): Promise<Member | undefined> =>
  await members(db)
    .where('users.id', '=', userId)
    .orderBy('memberships.role', 'desc')
    .orderBy('memberships.partner_id')
    .executeTakeFirst()

export const findMember = async (db: Db, userId: string, partnerId: string): Promise<Member | undefined> =>
  await members(db).where('users.id', '=', userId).where('memberships.partner_id', '=', partnerId).executeTakeFirst()

export const renameUser = async (trx: Trx, userId: string, name: string): Promise<void> => {
  await trx.updateTable('users').set({ name }).where('id', '=', userId).execute()
}

/** The hash of a user's password, locked so that two changes of it take turns. */
export const readPasswordForUpdate = async (trx: Trx, userId: string): Promise<string | undefined> =>
  (await trx.selectFrom('users').select('password_hash').where('id', '=', userId).forUpdate().executeTakeFirst())
    ?.password_hash

export const replacePassword = async (trx: Trx, userId: string, passwordHash: string): Promise<void> => {
  await trx.updateTable('users').set({ password_hash: passwordHash }).where('id', '=', userId).execute()
}

export const readPreferences = async (db: Db, userId: string): Promise<Record<string, unknown>> =>
  (await db.selectFrom('users').select('preferences').where('id', '=', userId).executeTakeFirstOrThrow()).preferences

export const replacePreferences = async (trx: Trx, userId: string, preferencesJson: string): Promise<void> => {
  await trx.updateTable('users').set({ preferences: preferencesJson }).where('id', '=', userId).execute()
}

const addRefreshToken = async (trx: Trx, sessionId: string, now: Date): Promise<string> => {
  const token = randomText(48)
  const expiresAt = new Date(now.getTime() + refreshLifetimeMs)
  await trx
    .insertInto('refresh_tokens')
    .values({ hash: hashSecret(token), session_id: sessionId, created_at: now, expires_at: expiresAt, used_at: null })
    .execute()
  return token
}

/** Opens a session for a member and answers its id and its first refresh token. */
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
      partner_id: member.partner_id,
      ip: client.ip,
      user_agent: client.userAgent,
      created_at: now,
      last_used_at: now,
      expires_at: expiresAt,
      revoked_at: null
    })
    .execute()
  return { id, refreshToken: await addRefreshToken(trx, id, now) }
}

/** The session that a refresh token, used or not, belongs to. */
export const findSessionOfRefreshToken = async (trx: Trx, token: string) =>
  await trx
    .selectFrom('refresh_tokens')
    .select(['session_id', 'used_at'])
    .where('hash', '=', hashSecret(token))
    .executeTakeFirst()

/**
 * Uses up a refresh token and answers its session; undefined when it is unknown, used or expired. Of several that use it at the same moment
 * one succeeds: the update waits for the first one's commit and then finds the token used.
 */
export const useRefreshToken = async (trx: Trx, token: string, now: Date): Promise<string | undefined> =>
  (
    await trx
      .updateTable('refresh_tokens')
      .set({ used_at: now })
      .where('hash', '=', hashSecret(token))
      .where('used_at', 'is', null)
      .where('expires_at', '>', now)
      .returning('session_id')
      .executeTakeFirst()
  )?.session_id

/** Prolongs a session that lives and answers its user and its next refresh token; undefined for one that is revoked. */
export const prolongSession = async (trx: Trx, sessionId: string, now: Date) => {
  const session = await trx
    .updateTable('sessions')
    .set({ last_used_at: now, expires_at: new Date(now.getTime() + refreshLifetimeMs) })
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .returning(['user_id', 'partner_id'])
    .executeTakeFirst()
  const member = session === undefined ? undefined : await findMember(trx, session.user_id, session.partner_id)
  return member === undefined ? undefined : { member, refreshToken: await addRefreshToken(trx, sessionId, now) }
}

/** Ends a session; with `userId` only when it is that user's. False when there is none that lives. */
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

/** Ends every session of a user but one. */
export const revokeOtherSessions = async (
  trx: Trx,
  userId: string,
  keptSessionId: string,
  now: Date
): Promise<void> => {
  await trx
    .updateTable('sessions')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('id', '!=', keptSessionId)
    .where('revoked_at', 'is', null)
    .execute()
}

/** Sessions that live, the latest sign-in first, one row more than `limit` when there are more. */
export const listSessions = async (
  db: Db,
  userId: string,
  after: TimePosition | undefined,
  limit: number,
  now: Date
) => {
  const query = db
    .selectFrom('sessions')
    .select(['id', 'ip', 'user_agent', 'created_at', 'last_used_at', 'expires_at'])
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('expires_at', '>', now)
  return await (after === undefined ? query : query.where(sql<boolean>`(created_at, id) < (${after.at}, ${after.id})`))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
}

/** A partner's credentials of one kind that are not revoked, the newest first, one row more than `limit` when there are more. */
export const listCredentials = async (
  db: Db,
  partnerId: string,
  kind: 'partner_key' | 'token',
  after: TimePosition | undefined,
  limit: number
): Promise<CredentialRow[]> => {
  const query = db
    .selectFrom('credentials')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('kind', '=', kind)
    .where('revoked_at', 'is', null)
  return await (after === undefined ? query : query.where(sql<boolean>`(created_at, id) < (${after.at}, ${after.id})`))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
}

/** A partner's activity before the entry `before`, the latest first, one row more than `limit` when there are more. */
export const listActivity = async (db: Db, partnerId: string, before: number | undefined, limit: number) => {
  const query = db.selectFrom('activity').selectAll().where('partner_id', '=', partnerId)
  return await (before === undefined ? query : query.where('id', '<', before))
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()
}

/** Whether there is this partner, or without an id any partner at all. */
export const partnerExists = async (db: Db, id?: string): Promise<boolean> => {
  const query = db.selectFrom('partners').select('id').limit(1)
  return (await (id === undefined ? query : query.where('id', '=', id)).executeTakeFirst()) !== undefined
}

/** Lets one transaction at a time, on all instances, look for the demo partner and make it. */
export const lockDemo = async (trx: Trx): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended('atlas demo partner', 0))`.execute(trx)
}
