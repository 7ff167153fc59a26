import type { Environment } from '../../plugins/access/caller.ts'
import { toRow, type FieldsOf } from '../../plugins/database/rows.ts'
import type { Db, Trx } from '../../plugins/database/types.ts'
import './tables.ts'

const columns = [
  'partner_id as partnerId',
  'environment',
  'end_user_id as endUserId',
  'calculation_id as calculationId',
  'calculated_at as calculatedAt',
  'days_in_period as daysInPeriod',
  'cash_after_buffer_cents as cashAfterBufferCents',
  'bills_cents as billsCents',
  'savings_cents as savingsCents',
  'debt_cents as debtCents',
  'daily_allowance_cents as dailyAllowanceCents'
] as const

export type Calculation = FieldsOf<'safe_to_spend'>

/** Stores a calculation as the current one of its end-user. */
export const storeCalculation = async (db: Trx, calculation: Calculation): Promise<void> => {
  const { partner_id, environment, end_user_id, ...result } = toRow(calculation)
  await db
    .insertInto('safe_to_spend')
    .values({ partner_id, environment, end_user_id, ...result })
    .onConflict((conflict) => conflict.columns(['partner_id', 'environment', 'end_user_id']).doUpdateSet(result))
    .execute()
}

/** Selects the calculations of a partner's test end-users. */
export const selectTestCalculations = (db: Db, partnerId: string) =>
  db
    .selectFrom('safe_to_spend')
    .select('end_user_id')
    .where('partner_id', '=', partnerId)
    .where('environment', '=', 'test')

/** Finds the latest calculation of an end-user in the given environments. */
export const findCalculation = async (
  db: Db,
  partnerId: string,
  environments: Environment[],
  endUserId: string
): Promise<Calculation | undefined> =>
  await db
    .selectFrom('safe_to_spend')
    .select(columns)
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('end_user_id', '=', endUserId)
    .orderBy('calculated_at', 'desc')
    .orderBy('environment')
    .limit(1)
    .executeTakeFirst()
