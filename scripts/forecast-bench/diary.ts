/** The record of a synthetic life, and the bank calendar. */
import { dateOfDay, dayOfYearMonth, weekdayOfDay, yearMonthOfDay } from '../../modules/insights/civil-date.ts'
import type { SeededRandom } from '../seeded-random.ts'

export type Account = 'checking' | 'savings'

/** A synthetic life under construction. */
export class Diary {
  readonly entries: { day: number; account: Account; amountCents: number; description: string }[] = []

  constructor(
    readonly random: SeededRandom,
    readonly firstDay: number,
    readonly lastDay: number,
    readonly monthlyIncomeCents: number
  ) {}

  write(day: number, amountCents: number, description: string, account: Account = 'checking'): void {
    const whole = Math.round(amountCents)
    if (day >= this.firstDay && day <= this.lastDay && whole !== 0)
      this.entries.push({ day, account, amountCents: whole, description })
  }

  /** Calls back with a nominal day in every month of the diary. */
  monthly(dayOfMonth: number, visit: (day: number) => void, from = this.firstDay, until = this.lastDay): void {
    for (let month = yearMonthOfDay(from).monthIndex; ; month++) {
      const day = dayOfYearMonth(month, dayOfMonth)
      if (day > until) return
      if (day >= from) visit(day)
    }
  }
}

const fixedHolidays = new Set(['01-01', '06-19', '07-04', '11-11', '12-25'])

const isBankDay = (day: number): boolean => {
  const weekday = weekdayOfDay(day)
  return weekday !== 0 && weekday !== 6 && !fixedHolidays.has(dateOfDay(day).slice(5))
}

export const bankDay = (day: number, step: 1 | -1): number => {
  let found = day
  while (!isBankDay(found)) found += step
  return found
}
