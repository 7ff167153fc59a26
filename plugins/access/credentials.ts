import type { Selection } from 'kysely'
import type { Database, Db, Trx } from '../database/types.ts'
import { newId, randomText } from '../ids.ts'
import { hashSecret } from './secrets.ts'
import type { Environment } from './caller.ts'

const secretLength = 40
const shownLength = 4

interface Common {
  /** The owner's name for the credential. */
  name: string
  now: Date
}

export interface NewPartnerKey extends Common {
  kind: 'partner_key'
  partnerId: string
  environment: Environment
  /** Null, the default, for all scopes. */
  scopes?: string[] | null
  /** Null, the default, for a key that never expires. */
  expiresAt?: Date | null
}

export interface NewToken extends Common {
  kind: 'token'
  partnerId: string
  /** The user who created the token. Deleting the user deletes the token. */
  userId: string
  environment: Environment
  scopes: string[]
  /** Addresses and CIDR ranges; null to allow every address. */
  allowedIps: string[] | null
  expiresAt: Date | null
}

interface NewAgentKey extends Common {
  kind: 'agent_key'
  agentId: string
  /** The partner of the agent's owner, when it has one. */
  partnerId: string | null
}

export const credentialColumns = [
  'id',
  'name',
  'environment',
  'scopes',
  'allowed_ips as allowedIps',
  'hint',
  'created_at as createdAt',
  'expires_at as expiresAt',
  'last_used_at as lastUsedAt'
] as const

export type Credential = Selection<Database, 'credentials', (typeof credentialColumns)[number]>

const idPrefix = { partner_key: 'key', token: 'pat', agent_key: 'agk' } as const

/**
 * Creates a credential. Stores only the secret's hash.
 *
 * @returns the stored credential, and the secret (40 random letters and digits after its prefix), which cannot be read again.
 * @throws the database's error when the agent already has a key. Revoke that key first.
 */
export const mintCredential = async (
  trx: Trx,
  credential: NewPartnerKey | NewToken | NewAgentKey
): Promise<{ credential: Credential; secret: string }> => {
  const environment = credential.kind === 'agent_key' ? 'live' : credential.environment
  const prefix = credential.kind === 'token' ? 'atlas_pat_' : `afg_${environment}_`
  const secret = `${prefix}${randomText(secretLength)}`
  const token = credential.kind === 'token' ? credential : undefined
  const { scopes = null, expiresAt = null } = credential.kind === 'agent_key' ? {} : credential
  const stored = await trx
    .insertInto('credentials')
    .values({
      id: newId(idPrefix[credential.kind]),
      hash: hashSecret(secret),
      kind: credential.kind,
      partner_id: credential.partnerId,
      user_id: token?.userId ?? null,
      agent_id: credential.kind === 'agent_key' ? credential.agentId : null,
      name: credential.name,
      environment,
      scopes,
      allowed_ips: token?.allowedIps ?? null,
      hint: `${prefix}…${secret.slice(-shownLength)}`,
      created_at: credential.now,
      expires_at: expiresAt,
      last_used_at: null,
      rotated_at: null,
      revoked_at: null
    })
    .returning(credentialColumns)
    .executeTakeFirstOrThrow()
  return { credential: stored, secret }
}

export type CredentialToRevoke =
  { kind: 'partner_key' | 'token'; id: string; partnerId: string } | { kind: 'agent_key'; agentId: string }

/**
 * Revokes a partner's credential, or the key of an agent. Every request looks up its credential, so the revocation takes effect with the commit.
 *
 * @returns false when the credential does not exist or is already revoked.
 */
export const revokeCredential = async (trx: Trx, credential: CredentialToRevoke, now: Date): Promise<boolean> => {
  const query = trx
    .updateTable('credentials')
    .set({ revoked_at: now })
    .where('kind', '=', credential.kind)
    .where('revoked_at', 'is', null)
  const { numUpdatedRows } = await (
    credential.kind === 'agent_key'
      ? query.where('agent_id', '=', credential.agentId)
      : query.where('id', '=', credential.id).where('partner_id', '=', credential.partnerId)
  ).executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}

/** Selects a partner's valid credentials of one kind: neither revoked nor expired. */
export const selectCredentials = (db: Db, partnerId: string, kind: 'partner_key' | 'token', now: Date) =>
  db
    .selectFrom('credentials')
    .select(credentialColumns)
    .where('partner_id', '=', partnerId)
    .where('kind', '=', kind)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))

/** Locks a partner's valid credential. Undefined when it does not exist, has expired or is revoked. */
export const lockCredential = async (
  trx: Trx,
  kind: 'partner_key' | 'token',
  partnerId: string,
  id: string,
  now: Date
): Promise<(Credential & { rotatedAt: Date | null }) | undefined> =>
  await selectCredentials(trx, partnerId, kind, now)
    .select('rotated_at as rotatedAt')
    .where('id', '=', id)
    .forUpdate()
    .executeTakeFirst()

/** Stores that a credential has a successor, and when it stops working. */
export const markRotated = async (trx: Trx, id: string, now: Date, expiresAt: Date): Promise<void> => {
  await trx.updateTable('credentials').set({ rotated_at: now, expires_at: expiresAt }).where('id', '=', id).execute()
}

/** Revokes all personal access tokens that a user created. */
export const revokeTokensOf = async (trx: Trx, userId: string, now: Date): Promise<void> => {
  await trx
    .updateTable('credentials')
    .set({ revoked_at: now })
    .where('user_id', '=', userId)
    .where('kind', '=', 'token')
    .where('revoked_at', 'is', null)
    .execute()
}
