import type { Db } from '../database/types.ts'

/** Credentials by the hashes of their secrets, each with what its partner allows; without those that are unknown, revoked or expired. */
export const findCredentials = async (db: Db, hashes: Buffer[], now: Date) =>
  await db
    .selectFrom('credentials')
    .leftJoin('partners', 'partners.id', 'credentials.partner_id')
    .select([
      'credentials.id',
      'credentials.hash',
      'credentials.kind',
      'credentials.partner_id',
      'credentials.user_id',
      'credentials.agent_id',
      'credentials.environment',
      'credentials.scopes',
      'credentials.allowed_ips',
      'partners.production_enabled',
      'partners.rate_overrides'
    ])
    .where('credentials.hash', '=', (eb) => eb.fn.any(eb.val(hashes)))
    .where('credentials.revoked_at', 'is', null)
    .where((eb) => eb.or([eb('credentials.expires_at', 'is', null), eb('credentials.expires_at', '>', now)]))
    .execute()

/** A session that is neither revoked nor expired, with its user's role in its partner. */
export const findSession = async (db: Db, sessionId: string, now: Date) =>
  await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .innerJoin('memberships', (join) =>
      join.onRef('memberships.user_id', '=', 'sessions.user_id').onRef('memberships.partner_id', '=', 'sessions.partner_id')
    )
    .innerJoin('partners', 'partners.id', 'sessions.partner_id')
    .select(['sessions.id', 'sessions.user_id', 'sessions.partner_id', 'memberships.role', 'users.operator', 'partners.rate_overrides'])
    .where('sessions.id', '=', sessionId)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .executeTakeFirst()

/** Notes the last use of credentials, many in one statement. */
export const touchCredentials = async (db: Db, ids: string[], now: Date): Promise<void> => {
  await db
    .updateTable('credentials')
    .set({ last_used_at: now })
    .where('id', '=', (eb) => eb.fn.any(eb.val(ids)))
    .execute()
}
