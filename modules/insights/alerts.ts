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
  /** The transactions that the alert rests on, by id. */
  evidence: string[]
  assumptions: string[]
}

export interface Shortfall {
  date: string
  /** How far below zero the projected balance is, positive. */
  amountCents: number
}

/** What the alerts of a forecast are derived from. */
export interface AlertBasis {
  daily: readonly DailyProjection[]
  recurring: readonly RecurringStream[]
  currentBalanceCents: number
  /** The outflow of a usual week. */
  weeklyOutflowCents: number
  /** Ids of the largest recent outflows: the evidence for spending that no stream explains. */
  usualSpendingIds: readonly string[]
  /** What holds for all alerts. */
  assumptions: readonly string[]
}

/** A large bill exceeds this share of the projected balance of the day before, */
const largeBillBalanceShare = 0.4
/** and is at least this share of a usual week's spending. */
const largeBillWeekShare = 0.5
/** How many bills, and how many payments of each, are named as evidence. */
const mostBills = 8
const mostPayments = 3
/** Bills of so many days before an alert are its evidence. */
const causeDays = 31

/** Returns every day on which the projected balance is negative. */
export const findShortfalls = (daily: readonly DailyProjection[]): Shortfall[] =>
  daily
    .filter((day) => day.projectedBalanceCents < 0)
    .map((day) => ({ date: day.date, amountCents: -day.projectedBalanceCents }))

/** The bills that are expected until a day, the largest first, and what is assumed of them. */
const causesOf = (basis: AlertBasis, index: number): Pick<CashFlowAlert, 'evidence' | 'assumptions'> => {
  const from = basis.daily[Math.max(0, index - causeDays)]?.date ?? ''
  const until = basis.daily[index]?.date ?? ''
  const bills = basis.recurring
    .filter(
      ({ direction, expectedDates }) =>
        direction === 'outflow' && expectedDates.some((date) => date >= from && date <= until)
    )
    .sort((a, b) => b.amountCents - a.amountCents)
    .slice(0, mostBills)
  const payments = bills.flatMap(({ transactionIds }) => transactionIds.slice(-mostPayments))
  return {
    evidence: payments.length > 0 ? payments : [...basis.usualSpendingIds],
    assumptions: [
      ...basis.assumptions,
      'Spending that does not recur goes on like the average of its weekday.',
      ...bills.flatMap(({ description, lateDays, assumptions }) =>
        lateDays > 0 ? [`${description}: ${assumptions.at(-1) ?? ''}`] : []
      )
    ]
  }
}

const findBalanceAlerts = (basis: AlertBasis): CashFlowAlert[] => {
  const alerts: CashFlowAlert[] = []
  let state: 'ok' | 'low_balance' | 'shortfall' = 'ok'
  for (const [index, { date, projectedBalanceCents }] of basis.daily.entries()) {
    const isLow = projectedBalanceCents < basis.weeklyOutflowCents
    const now = projectedBalanceCents < 0 ? 'shortfall' : isLow ? 'low_balance' : 'ok'
    if (now !== state && now !== 'ok')
      alerts.push({ type: now, date, amountCents: Math.abs(projectedBalanceCents), ...causesOf(basis, index) })
    state = now
  }
  return alerts
}

const findLargeBills = (basis: AlertBasis): CashFlowAlert[] => {
  const indexes = new Map(basis.daily.map(({ date }, index) => [date, index]))
  return basis.recurring.flatMap(({ direction, nextDate, amountCents, description, transactionIds, assumptions }) => {
    const index = indexes.get(nextDate)
    if (direction !== 'outflow' || index === undefined) return []
    const before = basis.daily[index - 1]?.projectedBalanceCents ?? basis.currentBalanceCents
    const isLarge =
      amountCents > largeBillBalanceShare * Math.max(0, before) &&
      amountCents >= largeBillWeekShare * basis.weeklyOutflowCents
    if (!isLarge) return []
    const evidence = transactionIds.slice(-mostPayments)
    return [{ type: 'large_upcoming_bill', date: nextDate, amountCents, description, evidence, assumptions }]
  })
}

/**
 * Returns one alert per period, dated at its first day: `shortfall` while the projected balance is negative, `low_balance` while it
 * is less than a usual week's spending. A `large_upcoming_bill` is a recurring outflow within the horizon that exceeds 40 % of the
 * projected balance of the day before, and is at least half of a usual week's spending.
 */
export const findAlerts = (basis: AlertBasis): CashFlowAlert[] =>
  [...findBalanceAlerts(basis), ...findLargeBills(basis)].sort((a, b) =>
    a.date < b.date ? -1 : a.date > b.date ? 1 : 0
  )
