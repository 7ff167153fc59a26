import { calendarOf, dayMs, dayOf, weekdayOf } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

/** Fixed holidays of most banks: New Year, 1 May and Christmas. */
const holidays = new Set(['1-1', '5-1', '12-25', '12-26'])

const isClosed = (day: number): boolean => {
  const { month, dayOfMonth } = calendarOf(day)
  return weekdayOf(day) === 0 || weekdayOf(day) === 6 || holidays.has(`${month}-${dayOfMonth}`)
}

/** Pay that falls on a weekend or a holiday comes on the last business day before it; everything else on the next one. */
export const weekendShifts: Behaviour = {
  name: 'weekend shifts',
  life(life) {
    if (life.pendingAt !== null || life.postedAt === null) return life
    const step = life.amountCents < 0 ? -1 : 1
    let days = 0
    while (isClosed(dayOf(life.postedAt) + days)) days += step
    return { ...life, authorizedAt: life.authorizedAt + days * dayMs, postedAt: life.postedAt + days * dayMs }
  }
}
