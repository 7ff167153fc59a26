import { sql } from 'kysely'
import type { RateOverrides } from '../../plugins/config/index.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import type { TimePosition } from '../../plugins/paging/pages.ts'

const partners = (db: Db) =>
  db
    .selectFrom('partners')
    .select((eb) => [
      'partners.id',
      'partners.name',
      'partners.production_enabled',
      'partners.rate_overrides',
      'partners.created_at',
      eb
        .selectFrom('memberships')
        .innerJoin('users', 'users.id', 'memberships.user_id')
        .select('users.email')
        .whereRef('memberships.partner_id', '=', 'partners.id')
        .where('memberships.role', '=', 'owner')
        .orderBy('users.created_at')
        .limit(1)
        .as('owner_email')
    ])

export type PartnerRow = Awaited<ReturnType<typeof listPartners>>[number]

/** Partners, the newest first, one row more than `limit` when there are more. */
export const listPartners = async (db: Db, after: TimePosition | undefined, limit: number) =>
  await partners(db)
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(partners.created_at, partners.id) < (${after?.at}, ${after?.id})`)
    )
    .orderBy('partners.created_at', 'desc')
    .orderBy('partners.id', 'desc')
    .limit(limit + 1)
    .execute()

export const findPartner = async (db: Db, id: string): Promise<PartnerRow | undefined> =>
  await partners(db).where('partners.id', '=', id).executeTakeFirst()

export interface PartnerChange {
  productionEnabled: boolean | undefined
  /** Replaces all of the partner's overrides. */
  rateOverrides: RateOverrides | undefined
}

/** Changes what is given of a partner and leaves the rest. */
export const updatePartner = async (
  trx: Trx,
  id: string,
  { productionEnabled, rateOverrides }: PartnerChange
): Promise<void> => {
  await trx
    .updateTable('partners')
    .set({
      ...(productionEnabled === undefined ? {} : { production_enabled: productionEnabled }),
      ...(rateOverrides === undefined ? {} : { rate_overrides: JSON.stringify(rateOverrides) })
    })
    .where('id', '=', id)
    .execute()
}

/** Makes the user with this address an operator, or takes that away; false when there is no such user. */
export const setOperator = async (db: Db, email: string, operator: boolean): Promise<boolean> => {
  const { numUpdatedRows } = await db
    .updateTable('users')
    .set({ operator })
    .where(sql`lower(email)`, '=', sql`lower(${email})`)
    .executeTakeFirstOrThrow()
  return numUpdatedRows > 0n
}
