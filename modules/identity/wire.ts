import type { Credential } from '../../plugins/access/credentials.ts'
import type { StoredAnswer } from '../../plugins/operations/idempotency-keys.ts'
import type * as wire from '../../spec/generated/identity.ts'
import type { Activity } from './queries/activity.ts'
import type { Session } from './queries/sessions.ts'
import type { Member } from './queries/users.ts'

export const toUser = ({ partnerId, emailVerifiedAt, ...member }: Member): wire.User => ({
  ...member,
  email_verified: emailVerifiedAt !== null,
  partner_id: partnerId
})

export const toSession = (session: Session, currentSessionId: string): wire.Session => ({
  id: session.id,
  ip: session.ip,
  user_agent: session.userAgent,
  created_at: session.createdAt.toISOString(),
  last_used_at: session.lastUsedAt.toISOString(),
  expires_at: session.expiresAt.toISOString(),
  current: session.id === currentSessionId
})

export const toApiKey = (credential: Credential): wire.ApiKey => ({
  id: credential.id,
  name: credential.name,
  environment: credential.environment,
  scopes: credential.scopes,
  prefix: credential.hint,
  created_at: credential.createdAt.toISOString(),
  expires_at: credential.expiresAt?.toISOString() ?? null,
  last_used_at: credential.lastUsedAt?.toISOString() ?? null
})

export const toToken = ({ hint, scopes, createdAt, expiresAt, lastUsedAt, ...credential }: Credential): wire.Token => ({
  ...credential,
  scopes: scopes ?? [],
  prefix: hint,
  createdAt: createdAt.toISOString(),
  expiresAt: expiresAt?.toISOString() ?? null,
  lastUsedAt: lastUsedAt?.toISOString() ?? null
})

export const toActivity = ({ id, at, actorType, actorId, ...entry }: Activity): wire.Activity => ({
  ...entry,
  id: `act_${id}`,
  at: at.toISOString(),
  actor: { type: actorType, id: actorId }
})

export const toIdempotencyRecord = (stored: StoredAnswer): wire.IdempotencyRecord => ({
  status: 'done',
  operationId: stored.operationId,
  responseStatus: stored.status,
  response: stored.text === '' ? null : (JSON.parse(stored.text) as unknown),
  createdAt: stored.createdAt.toISOString(),
  expiresAt: stored.expiresAt.toISOString()
})
