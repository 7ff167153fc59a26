import type { RateOverrides } from '../../plugins/config/index.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { emailKeyOf } from '../../plugins/email-address.ts'
import { newestFirst } from '../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../plugins/paging/pages.ts'

const selectPartners = (db: Db) =>
  db
    .selectFrom('partners')
    .select((eb) => [
      'partners.id',
      'partners.name',
      'partners.production_enabled as productionEnabled',
      'partners.furnisher',
      'partners.rate_overrides as rateOverrides',
      'partners.created_at as createdAt',
      eb
        .selectFrom('memberships')
        .innerJoin('users', 'users.id', 'memberships.user_id')
        .select('users.email')
        .whereRef('memberships.partner_id', '=', 'partners.id')
        .where('memberships.role', '=', 'owner')
        .orderBy('users.created_at')
        .limit(1)
        .as('ownerEmail')
    ])

export type PartnerDetails = Awaited<ReturnType<typeof listPartners>>[number]

/** Lists up to `limit` partners, newest first, after the given position. */
export const listPartners = async (db: Db, after: TimePosition | undefined, limit: number) =>
  await selectPartners(db).$call(newestFirst(after, limit)).execute()

export const findPartner = async (db: Db, id: string): Promise<PartnerDetails | undefined> =>
  await selectPartners(db).where('partners.id', '=', id).executeTakeFirst()

/** Updates the given fields of a partner; `rateOverrides` replaces all its overrides. */
export const updatePartner = async (
  trx: Trx,
  id: string,
  { rateOverrides, ...changes }: { productionEnabled?: boolean; furnisher?: boolean; rateOverrides?: RateOverrides }
): Promise<void> => {
  await trx
    .updateTable('partners')
    .set({
      production_enabled: changes.productionEnabled,
      furnisher: changes.furnisher,
      rate_overrides: rateOverrides && JSON.stringify(rateOverrides)
    })
    .where('id', '=', id)
    .execute()
}

/** Finds a user by id, or by e-mail address in any spelling. */
export const findUser = async (db: Db, idOrEmail: string) =>
  await db
    .selectFrom('users')
    .select(['id', 'email', 'email_verified_at as emailVerifiedAt'])
    .where((eb) => eb.or([eb('id', '=', idOrEmail), eb('email_key', '=', emailKeyOf(idOrEmail))]))
    .executeTakeFirst()

/** Grants or revokes the operator role of a user. */
export const setOperator = async (db: Db, userId: string, operator: boolean): Promise<void> => {
  await db.updateTable('users').set({ operator }).where('id', '=', userId).execute()
}

/** Verifies a user's e-mail address on the word of the server's operator. */
export const markEmailVerified = async (db: Db, userId: string, now: Date): Promise<void> => {
  await db.updateTable('users').set({ email_verified_at: now }).where('id', '=', userId).execute()
}
