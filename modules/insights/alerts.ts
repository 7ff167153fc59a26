import type { RecurringStream } from './recurring.ts'

export interface DailyProjection {
  /** YYYY-MM-DD */
  date: string
  projectedBalanceCents: number
  /** The ends of the 80 % band. */
  lowCents: number
  highCents: number
}

export interface CashFlowAlert {
  type: 'low_balance' | 'shortfall' | 'large_upcoming_bill'
  date: string
  /** low_balance: the projected balance. shortfall: what is missing, positive. large_upcoming_bill: the bill, positive. */
  amountCents?: number
  description?: string
}

export interface Shortfall {
  date: string
  /** How far below zero the projected balance is, positive. */
  amountCents: number
}

/** A bill is large when it takes more than this share of what the balance is projected to be on the evening before. */
const LARGE_BILL_BALANCE_SHARE = 0.4
/** … and is no trifle: at least this share of a usual week's spending. */
const LARGE_BILL_WEEK_SHARE = 0.5

/** Every day on which the projected balance is below zero. */
export function findShortfalls(daily: readonly DailyProjection[]): Shortfall[] {
  return daily
    .filter((day) => day.projectedBalanceCents < 0)
    .map((day) => ({ date: day.date, amountCents: -day.projectedBalanceCents }))
}

/**
 * One alert for each spell, dated at its first day: `shortfall` while the projected balance is below zero, `low_balance` while it is at
 * least zero but less than one usual week of spending (`weeklyOutflowCents`). A `large_upcoming_bill` is a recurring outflow within the
 * horizon that takes more than 40 % of the balance projected for the evening before, and at least half of a usual week's spending.
 */
export function findAlerts(
  daily: readonly DailyProjection[],
  recurring: readonly RecurringStream[],
  currentBalanceCents: number,
  weeklyOutflowCents: number
): CashFlowAlert[] {
  const alerts: CashFlowAlert[] = []
  let state: 'fine' | 'low_balance' | 'shortfall' = 'fine'
  for (const { date, projectedBalanceCents } of daily) {
    const now =
      projectedBalanceCents < 0 ? 'shortfall' : projectedBalanceCents < weeklyOutflowCents ? 'low_balance' : 'fine'
    if (now !== state && now !== 'fine') alerts.push({ type: now, date, amountCents: Math.abs(projectedBalanceCents) })
    state = now
  }
  for (const { direction, nextDate, amountCents, description } of recurring) {
    const index = daily.findIndex((day) => day.date === nextDate)
    if (direction !== 'outflow' || index < 0) continue
    const before = daily[index - 1]?.projectedBalanceCents ?? currentBalanceCents
    if (
      amountCents > LARGE_BILL_BALANCE_SHARE * Math.max(0, before) &&
      amountCents >= LARGE_BILL_WEEK_SHARE * weeklyOutflowCents
    ) {
      alerts.push({ type: 'large_upcoming_bill', date: nextDate, amountCents, description })
    }
  }
  return alerts.sort((a, b) => (a.date < b.date ? -1 : a.date > b.date ? 1 : 0))
}
