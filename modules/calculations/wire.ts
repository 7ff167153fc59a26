import { fromCents } from '../../plugins/money.ts'
import type { SafeToSpend } from '../../spec/generated/calculations.ts'
import type { Calculation } from './queries.ts'
import { discretionaryPoolCents } from './safe-to-spend.ts'

export const toSafeToSpend = (calculation: Omit<Calculation, 'partnerId' | 'endUserId'>): SafeToSpend => {
  const poolCents = discretionaryPoolCents(calculation)
  const dailyAllowance = fromCents(calculation.dailyAllowanceCents)
  return {
    safe_to_spend_today: dailyAllowance,
    daily_allowance: dailyAllowance,
    monthly_safe_to_spend: fromCents(Math.max(poolCents, 0)),
    ...(poolCents < 0 ? { shortfall: fromCents(-poolCents) } : {}),
    breakdown: {
      cash_after_buffer: fromCents(calculation.cashAfterBufferCents),
      upcoming_bills_total: fromCents(calculation.billsCents),
      savings_commitments: fromCents(calculation.savingsCents),
      debt_commitments: fromCents(calculation.debtCents),
      discretionary_pool: fromCents(poolCents),
      days_in_period: calculation.daysInPeriod
    },
    calculation_id: calculation.calculationId,
    calculated_at: calculation.calculatedAt.toISOString(),
    is_sandbox: calculation.environment === 'test'
  }
}
