import type { BankTransaction } from '../../../modules/insights/bank-transaction.ts'
import { dateOfDay, dayOfDate } from '../../../modules/insights/civil-date.ts'

let counter = 0

/** One transaction with Plaid's sign: positive leaves the account. */
export const booked = (
  date: string,
  amountCents: number,
  description: string,
  accountId = 'checking'
): BankTransaction => ({ transactionId: `tx-${++counter}`, accountId, date, amountCents, description, pending: false })

/** The same transaction on each of these days, moved by `jitterDays[i]` and scaled by `1 + jitterShare[i]`. */
export const series = (
  days: readonly number[],
  amountCents: number,
  description: string,
  jitterDays: readonly number[] = [],
  jitterShares: readonly number[] = []
): BankTransaction[] =>
  days.map((day, index) =>
    booked(
      dateOfDay(day + (jitterDays[index] ?? 0)),
      Math.round(amountCents * (1 + (jitterShares[index] ?? 0))),
      description
    )
  )

export const every = (periodDays: number, from: string, count: number): number[] =>
  Array.from({ length: count }, (_, index) => dayOfDate(from) + index * periodDays)

/** The given days of each month (clipped to its end), from the first of a month such as 2024-01. */
export const eachMonth = (daysOfMonth: readonly number[], fromMonth: string, months: number): number[] => {
  const [year = 0, month = 1] = fromMonth.split('-').map(Number)
  return Array.from({ length: months }, (_, index) =>
    daysOfMonth.map((dayOfMonth) => {
      const lastOfMonth = new Date(Date.UTC(year, month + index, 0)).getUTCDate()
      return Date.UTC(year, month - 1 + index, Math.min(dayOfMonth, lastOfMonth)) / 86_400_000
    })
  ).flat()
}

/** Moves weekend days to the Friday before, as payroll does. */
export const onBankDays = (days: readonly number[]): number[] =>
  days.map((day) => {
    const weekday = new Date(day * 86_400_000).getUTCDay()
    return weekday === 6 ? day - 1 : weekday === 0 ? day - 2 : day
  })
