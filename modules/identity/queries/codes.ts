import { timingSafeEqual } from 'node:crypto'
import type { Trx } from '../../../plugins/database/types.ts'
import { codeLifetimeMs, hashCode, maxCodeAttempts, type CodePurpose } from '../codes.ts'
import '../tables.ts'

/** Stores the hash of a code in place of the user's previous one of this kind. @returns when it expires. */
export const storeCode = async (
  trx: Trx,
  [key]: Buffer[],
  purpose: CodePurpose,
  code: string,
  now: Date
): Promise<Date> => {
  if (key === undefined) throw new Error('There is no encryption key.')
  const { userId: user_id, kind, target } = purpose
  const expires_at = new Date(now.getTime() + codeLifetimeMs[kind])
  const changes = { target, code_hash: hashCode(key, purpose, code), attempts: 0, created_at: now, expires_at }
  await trx
    .insertInto('verification_codes')
    .values({ user_id, kind, ...changes })
    .onConflict((conflict) => conflict.columns(['user_id', 'kind']).doUpdateSet(changes))
    .execute()
  return expires_at
}

/** Voids the user's code of a kind. */
export const forgetCode = async (trx: Trx, userId: string, kind: CodePurpose['kind']): Promise<void> => {
  await trx.deleteFrom('verification_codes').where('user_id', '=', userId).where('kind', '=', kind).execute()
}

/**
 * Redeems a code once. Counts a wrong one, so commit also when it fails.
 * @returns where it was sent to; undefined when it is wrong, used or expired, or was tried too often.
 */
export const redeemCode = async (
  trx: Trx,
  keys: Buffer[],
  userId: string,
  kind: CodePurpose['kind'],
  code: string,
  now: Date
): Promise<string | undefined> => {
  const stored = await trx
    .selectFrom('verification_codes')
    .select(['target', 'code_hash as hash', 'attempts'])
    .where('user_id', '=', userId)
    .where('kind', '=', kind)
    .where('expires_at', '>', now)
    .where('attempts', '<', maxCodeAttempts)
    .forUpdate()
    .executeTakeFirst()
  if (stored === undefined) return undefined
  const { target, hash, attempts } = stored
  if (keys.some((key) => timingSafeEqual(hashCode(key, { userId, kind, target }, code), hash))) {
    await forgetCode(trx, userId, kind)
    return target
  }
  await trx
    .updateTable('verification_codes')
    .set({ attempts: attempts + 1 })
    .where('user_id', '=', userId)
    .where('kind', '=', kind)
    .execute()
  return undefined
}
