import type { RecurringStream } from './recurring.ts'

export interface DailyProjection {
  /** YYYY-MM-DD */
  date: string
  projectedBalanceCents: number
  /** The limits of the 80 % band. */
  lowCents: number
  highCents: number
}

export interface CashFlowAlert {
  type: 'low_balance' | 'shortfall' | 'large_upcoming_bill'
  date: string
  /** low_balance: the projected balance. shortfall: the missing amount, positive. large_upcoming_bill: the bill, positive. */
  amountCents?: number
  description?: string
}

export interface Shortfall {
  date: string
  /** How far below zero the projected balance is, positive. */
  amountCents: number
}

/** A large bill exceeds this share of the projected balance of the day before, */
const largeBillBalanceShare = 0.4
/** and is at least this share of a usual week's spending. */
const largeBillWeekShare = 0.5

/** Returns every day on which the projected balance is negative. */
export const findShortfalls = (daily: readonly DailyProjection[]): Shortfall[] =>
  daily
    .filter((day) => day.projectedBalanceCents < 0)
    .map((day) => ({ date: day.date, amountCents: -day.projectedBalanceCents }))

/**
 * Returns one alert per period, dated at its first day: `shortfall` while the projected balance is negative, `low_balance` while it
 * is less than a usual week's spending (`weeklyOutflowCents`). A `large_upcoming_bill` is a recurring outflow within the horizon
 * that exceeds 40 % of the projected balance of the day before, and is at least half of a usual week's spending.
 */
export const findAlerts = (
  daily: readonly DailyProjection[],
  recurring: readonly RecurringStream[],
  currentBalanceCents: number,
  weeklyOutflowCents: number
): CashFlowAlert[] => {
  const alerts: CashFlowAlert[] = []
  let state: 'ok' | 'low_balance' | 'shortfall' = 'ok'
  for (const { date, projectedBalanceCents } of daily) {
    const now =
      projectedBalanceCents < 0 ? 'shortfall' : projectedBalanceCents < weeklyOutflowCents ? 'low_balance' : 'ok'
    if (now !== state && now !== 'ok') alerts.push({ type: now, date, amountCents: Math.abs(projectedBalanceCents) })
    state = now
  }
  for (const { direction, nextDate, amountCents, description } of recurring) {
    const index = daily.findIndex((day) => day.date === nextDate)
    if (direction !== 'outflow' || index < 0) continue
    const before = daily[index - 1]?.projectedBalanceCents ?? currentBalanceCents
    if (
      amountCents > largeBillBalanceShare * Math.max(0, before) &&
      amountCents >= largeBillWeekShare * weeklyOutflowCents
    ) {
      alerts.push({ type: 'large_upcoming_bill', date: nextDate, amountCents, description })
    }
  }
  return alerts.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0))
}
