import type { SessionCaller } from '../../plugins/access/caller.ts'
import {
  lockCredential,
  markRotated,
  mintCredential,
  selectCredentials,
  type Credential
} from '../../plugins/access/credentials.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { notFound } from '../../plugins/http/errors/kinds.ts'
import { requireQuota } from '../../plugins/quotas.ts'
import { alreadyRotated } from './errors.ts'

/** How long the old credential works beside its successor, unless the request says otherwise: 24 hours. */
const defaultOverlapSeconds = 86_400

const kinds = {
  partner_key: { quota: 'api_keys', missing: 'There is no such API key.' },
  token: { quota: 'tokens', missing: 'There is no such token.' }
} as const

/** The successor lives as long as its predecessor was meant to. */
const expiryOfSuccessor = ({ createdAt, expiresAt }: Credential, now: Date): Date | null =>
  expiresAt === null ? null : new Date(now.getTime() + expiresAt.getTime() - createdAt.getTime())

export interface Rotation {
  kind: keyof typeof kinds
  id: string
  overlapSeconds: number | undefined
}

export interface Rotated {
  successor: Credential
  secret: string
  /** The old credential, and when it stops working. */
  previous: { id: string; expiresAt: Date }
}

/**
 * Mints the successor of an API key or a token, with the same name, scopes, addresses and environment. The old one works until the overlap ends, or until its own
 * expiry if that is earlier. The successor of a token belongs to the user who rotates it, who alone knows its secret.
 * @throws ProblemError 404 `not_found`, also for an expired credential; 409 `already_rotated`; 422 `limit_reached`
 */
export const rotateCredential = async (
  trx: Trx,
  { partnerId, userId }: Pick<SessionCaller, 'partnerId' | 'userId'>,
  { kind, id, overlapSeconds = defaultOverlapSeconds }: Rotation,
  now: Date
): Promise<Rotated> => {
  const { quota, missing } = kinds[kind]
  const old = await lockCredential(trx, kind, partnerId, id, now)
  if (old === undefined) throw notFound(missing)
  if (old.rotatedAt !== null) throw alreadyRotated(id, old.rotatedAt)
  const overlapEndMs = now.getTime() + overlapSeconds * 1_000
  const expiresAt = new Date(Math.min(overlapEndMs, old.expiresAt?.getTime() ?? Infinity))
  const { name, environment, scopes, allowedIps } = old
  const common = { partnerId, name, environment, expiresAt: expiryOfSuccessor(old, now), now }
  const { credential, secret } = await mintCredential(
    trx,
    kind === 'token' ? { kind, ...common, userId, scopes: scopes ?? [], allowedIps } : { kind, ...common, scopes }
  )
  await markRotated(trx, id, now, expiresAt)
  await requireQuota(trx, quota, partnerId, selectCredentials(trx, partnerId, kind, now))
  return { successor: credential, secret, previous: { id, expiresAt } }
}
