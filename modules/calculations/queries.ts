import type { Insertable, Selectable } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import type { SafeToSpendTable } from './tables.ts'
import './tables.ts'

/** Makes a calculation the current one of its end-user. */
export const storeSafeToSpend = async (db: Trx, row: Insertable<SafeToSpendTable>): Promise<void> => {
  const { partner_id, environment, end_user_id, ...result } = row
  await db
    .insertInto('safe_to_spend')
    .values({ partner_id, environment, end_user_id, ...result })
    .onConflict((conflict) => conflict.columns(['partner_id', 'environment', 'end_user_id']).doUpdateSet(result))
    .execute()
}

/** The current calculation of an end-user in any of the environments, the youngest of them; undefined when there is none. */
export const findSafeToSpend = async (
  db: Db,
  partnerId: string,
  environments: Environment[],
  endUserId: string
): Promise<Selectable<SafeToSpendTable> | undefined> =>
  await db
    .selectFrom('safe_to_spend')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('end_user_id', '=', endUserId)
    .orderBy('calculated_at', 'desc')
    .orderBy('environment')
    .limit(1)
    .executeTakeFirst()
