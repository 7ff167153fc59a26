import type { Selection } from 'kysely'
import type { Environment } from '../../plugins/access/caller.ts'
import type { Database, Db, Trx } from '../../plugins/database/types.ts'
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

export type Calculation = Selection<Database, 'safe_to_spend', (typeof columns)[number]>

/** Stores a calculation as the current one of its end-user. */
export const storeCalculation = async (db: Trx, calculation: Calculation): Promise<void> => {
  const result = {
    calculation_id: calculation.calculationId,
    calculated_at: calculation.calculatedAt,
    days_in_period: calculation.daysInPeriod,
    cash_after_buffer_cents: calculation.cashAfterBufferCents,
    bills_cents: calculation.billsCents,
    savings_cents: calculation.savingsCents,
    debt_cents: calculation.debtCents,
    daily_allowance_cents: calculation.dailyAllowanceCents
  }
  const { partnerId, environment, endUserId } = calculation
  await db
    .insertInto('safe_to_spend')
    .values({ partner_id: partnerId, environment, end_user_id: endUserId, ...result })
    .onConflict((conflict) => conflict.columns(['partner_id', 'environment', 'end_user_id']).doUpdateSet(result))
    .execute()
}

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
