import { createHash, timingSafeEqual } from 'node:crypto'
import { decodeProtectedHeader, importJWK, jwtVerify, type JWK } from 'jose'
import type { Clock } from '../clock.ts'
import { createLookupBudget } from './lookup-budget.ts'

const longestAgeSeconds = 300
/** How far Plaid's clock may be ahead of ours. */
const skewSeconds = 30
const rememberedKeys = 64
const keyLifetimeMs = 3_600_000
const unknownLifetimeMs = 60_000

/** A key from /webhook_verification_key/get. */
export type VerificationKey = JWK & { expired_at?: number | null }

export interface WebhookVerifierOptions {
  clock: Clock
  /** Looks up a key at Plaid; undefined when Plaid does not know it. */
  findKey: (keyId: string) => Promise<VerificationKey | undefined>
}

/** `unchecked`: the key id is unknown, and the client's address has used up its lookups of unknown key ids. */
export type Verdict = 'genuine' | 'forged' | 'unchecked'

interface Remembered {
  key: Promise<VerificationKey | undefined>
  until: number
}

/**
 * Caches keys by id for an hour. Invented ids cannot evict a key that Plaid has confirmed. They cause lookups only within the budget of their sender's
 * address, so they cannot use up the lookups of Plaid's own addresses.
 */
const createKeyring = ({ clock, findKey }: WebhookVerifierOptions) => {
  const keys = new Map<string, Remembered>()
  const proven = new Set<string>()
  const budget = createLookupBudget(clock)
  const lookUp = (keyId: string): Promise<VerificationKey | undefined> => {
    const now = clock.now().getTime()
    const remembered: Remembered = { key: findKey(keyId), until: now + keyLifetimeMs }
    keys.delete(keyId)
    keys.set(keyId, remembered)
    const oldest = [...keys.keys()].find((id) => !proven.has(id))
    if (keys.size > rememberedKeys && oldest !== undefined) keys.delete(oldest)
    remembered.key.then(
      (key) => {
        if (key === undefined) {
          remembered.until = now + unknownLifetimeMs
          proven.delete(keyId)
        } else {
          proven.add(keyId)
        }
      },
      () => keys.delete(keyId)
    )
    return remembered.key
  }
  return {
    trust: budget.trust,
    /** Returns the key; undefined when the lookup would exceed the budget of the address. */
    find(keyId: string, address: string): Promise<VerificationKey | undefined> | undefined {
      const known = keys.get(keyId)
      if (known !== undefined && known.until > clock.now().getTime()) return known.key
      return proven.has(keyId) || budget.take(address) ? lookUp(keyId) : undefined
    }
  }
}

const readKeyId = (token: string): string | undefined => {
  try {
    const { alg, kid } = decodeProtectedHeader(token)
    return alg === 'ES256' && kid !== undefined && /^[\w.-]{1,128}$/.test(kid) ? kid : undefined
  } catch {
    return undefined
  }
}

const isRecent = (issuedAt: number | undefined, nowSeconds: number): boolean =>
  issuedAt !== undefined && nowSeconds - issuedAt <= longestAgeSeconds && issuedAt - nowSeconds <= skewSeconds

const hashesTo = (body: Buffer, hexHash: unknown): boolean => {
  if (typeof hexHash !== 'string' || !/^[0-9a-f]{64}$/i.test(hexHash)) return false
  return timingSafeEqual(createHash('sha256').update(body).digest(), Buffer.from(hexHash, 'hex'))
}

const isSigned = async (key: VerificationKey, token: string, body: Buffer, now: Date): Promise<boolean> => {
  const nowSeconds = now.getTime() / 1_000
  if (typeof key.expired_at === 'number' && key.expired_at <= nowSeconds) return false
  try {
    const { payload } = await jwtVerify(token, await importJWK(key, 'ES256'), {
      algorithms: ['ES256'],
      currentDate: now
    })
    return isRecent(payload.iat, nowSeconds) && hashesTo(body, payload.request_body_sha256)
  } catch {
    return false
  }
}

/**
 * Verifies webhooks as Plaid documents it (https://plaid.com/docs/api/webhooks/webhook-verification/): an ES256 JWT over the SHA-256 of the body, at most
 * five minutes old, under a key that Plaid publishes.
 *
 * @returns a function that takes the `Plaid-Verification` header, the body and the client's address. It throws only when the key lookup fails.
 */
export const createWebhookVerifier = (options: WebhookVerifierOptions) => {
  const keyring = createKeyring(options)
  return async (token: string | undefined, body: Buffer, address: string): Promise<Verdict> => {
    const keyId = token === undefined ? undefined : readKeyId(token)
    if (token === undefined || keyId === undefined) return 'forged'
    const looked = keyring.find(keyId, address)
    if (looked === undefined) return 'unchecked'
    const key = await looked
    if (key === undefined || !(await isSigned(key, token, body, options.clock.now()))) return 'forged'
    keyring.trust(address)
    return 'genuine'
  }
}
