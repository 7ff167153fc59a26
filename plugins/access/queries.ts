import { prepared } from '../database/prepared.ts'
import type { Db } from '../database/types.ts'

/** Finds valid credentials by the hashes of their secrets, each with the settings of its partner. Omits revoked and expired ones. */
export const findCredentials = prepared<{ hashes: Buffer[]; now: Date }>()((db, place) =>
  db
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
      'credentials.last_used_at',
      'partners.production_enabled',
      'partners.rate_overrides'
    ])
    .where('credentials.hash', '=', (eb) => eb.fn.any(place('hashes')))
    .where('credentials.revoked_at', 'is', null)
    .where((eb) => eb.or([eb('credentials.expires_at', 'is', null), eb('credentials.expires_at', '>', place('now'))]))
)

/** Finds a session that is neither revoked nor expired, with its user's role in its partner. */
export const findSessions = prepared<{ sessionId: string; now: Date }>()((db, place) =>
  db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .innerJoin('memberships', (join) =>
      join
        .onRef('memberships.user_id', '=', 'sessions.user_id')
        .onRef('memberships.partner_id', '=', 'sessions.partner_id')
    )
    .innerJoin('partners', 'partners.id', 'sessions.partner_id')
    .select([
      'sessions.id',
      'sessions.user_id',
      'sessions.partner_id',
      'memberships.role',
      'users.operator',
      'partners.rate_overrides'
    ])
    .where('sessions.id', '=', place('sessionId'))
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', place('now'))
)

/** The addresses from which the latest active sessions of an account were opened. */
export const findSessionAddresses = async (db: Db, emailKey: string, now: Date) =>
  await db
    .selectFrom('sessions')
    .innerJoin('users', 'users.id', 'sessions.user_id')
    .select('sessions.ip')
    .where('users.email_key', '=', emailKey)
    .where('sessions.revoked_at', 'is', null)
    .where('sessions.expires_at', '>', now)
    .orderBy('sessions.created_at', 'desc')
    .orderBy('sessions.id', 'desc')
    .limit(100)
    .execute()

/** Sets the last use of credentials, in one statement. */
export const touchCredentials = async (db: Db, ids: string[], now: Date): Promise<void> => {
  await db
    .updateTable('credentials')
    .set({ last_used_at: now })
    .where('id', '=', (eb) => eb.fn.any(eb.val(ids)))
    .execute()
}
