import { dayOfYearMonth, weekdayOfDay, yearMonthOfDay } from './civil-date.ts'
import { mean, median } from './statistics.ts'

export type Cadence = 'weekly' | 'biweekly' | 'semimonthly' | 'monthly' | 'yearly'

/**
 * When something is due. `calendar` hangs on days of the month (and, for yearly, on every twelfth month from `monthIndex`);
 * `interval` is counted from `anchorDay`, which for a metered monthly bill is simply the last one seen.
 */
export type Schedule =
  | {
      kind: 'calendar'
      cadence: 'semimonthly' | 'monthly' | 'yearly'
      daysOfMonth: number[]
      monthIndex: number
      roll: Roll
    }
  | { kind: 'interval'; cadence: 'weekly' | 'biweekly' | 'monthly'; anchorDay: number; periodDays: number }

/** What happens to a due day on a weekend: moved back to Friday (-1), on to Monday (1), or nothing (0). */
export type Roll = -1 | 0 | 1

export interface CadenceFit {
  schedule: Schedule
  /** Mean distance in days between what happened and what the schedule says. */
  meanMissDays: number
  /** Share of the due days on which something happened, 0..1. */
  filled: number
  /** Signed days late (positive) or early, one for each occurrence that belongs. */
  offsets: number[]
  /** Indexes into the given days of the occurrences that belong. */
  members: number[]
}

/** Usual distance between two due days. */
export const PERIOD_DAYS: Record<Cadence, number> = {
  weekly: 7,
  biweekly: 14,
  semimonthly: 15.2,
  monthly: 30.4,
  yearly: 365.25
}

/** How far from its due day an occurrence may lie and still belong; for short periods less, or any date at all would fit. */
const TOLERANCE_DAYS: Record<Cadence, number> = { weekly: 1, biweekly: 3, semimonthly: 4, monthly: 5, yearly: 8 }
const LARGEST_MEAN_MISS_DAYS: Record<Cadence, number> = {
  weekly: 0.6,
  biweekly: 1.2,
  semimonthly: 1.7,
  monthly: 2.2,
  yearly: 6
}
const SMALLEST_MATCHED = 0.8
const SMALLEST_FILLED = 0.75
/** Two free anchors fit anything a little better than one: semimonthly must beat biweekly by more than that. */
const SEMIMONTHLY_HANDICAP_DAYS = 0.3

function rollWeekend(day: number, roll: Roll): number {
  if (roll === 0) return day
  const weekday = weekdayOfDay(day)
  if (weekday === 6) return roll === 1 ? day + 2 : day - 1
  if (weekday === 0) return roll === 1 ? day + 1 : day - 2
  return day
}

/** The due days of a schedule from one day to another, both included, ascending. */
export function dueDays(schedule: Schedule, fromDay: number, toDay: number): number[] {
  const days: number[] = []
  if (schedule.kind === 'interval') {
    const { anchorDay, periodDays } = schedule
    for (let step = Math.ceil((fromDay - anchorDay) / periodDays); ; step++) {
      const day = Math.round(anchorDay + step * periodDays)
      if (day > toDay) return days
      if (day >= fromDay) days.push(day)
    }
  }
  const monthStep = schedule.cadence === 'yearly' ? 12 : 1
  const earliest = yearMonthOfDay(fromDay).monthIndex - 1
  const latest = yearMonthOfDay(toDay).monthIndex + 1
  for (let month = earliest; month <= latest; month++) {
    if ((month - schedule.monthIndex) % monthStep !== 0) continue
    for (const dayOfMonth of schedule.daysOfMonth) {
      const day = rollWeekend(dayOfYearMonth(month, dayOfMonth), schedule.roll)
      if (day >= fromDay && day <= toDay) days.push(day)
    }
  }
  return days
}

/** Lays a schedule over ascending days: every due day takes its nearest occurrence, every occurrence one due day. */
function measure(schedule: Schedule, days: readonly number[]): CadenceFit {
  const tolerance = TOLERANCE_DAYS[schedule.cadence]
  const first = days[0] ?? 0
  const last = days.at(-1) ?? 0
  const due = dueDays(schedule, first - tolerance, last + tolerance)
  const offsets: number[] = []
  const members: number[] = []
  let cursor = 0
  let firstHit = -1
  let lastHit = -1
  for (let slot = 0; slot < due.length; slot++) {
    const dueDay = due[slot] ?? 0
    while (cursor < days.length && (days[cursor] ?? 0) < dueDay - tolerance) cursor++
    let best = -1
    for (let index = cursor; index < days.length && (days[index] ?? 0) <= dueDay + tolerance; index++) {
      if (best < 0 || Math.abs((days[index] ?? 0) - dueDay) < Math.abs((days[best] ?? 0) - dueDay)) best = index
    }
    if (best < 0) continue
    offsets.push((days[best] ?? 0) - dueDay)
    members.push(best)
    cursor = best + 1
    if (firstHit < 0) firstHit = slot
    lastHit = slot
  }
  const slots = firstHit < 0 ? 1 : lastHit - firstHit + 1
  const meanMissDays = offsets.length === 0 ? Infinity : mean(offsets.map(Math.abs))
  return { schedule, meanMissDays, filled: members.length / slots, offsets, members }
}

function isRegular(fit: CadenceFit, occurrences: number): boolean {
  const { cadence } = fit.schedule
  return (
    fit.members.length >= SMALLEST_MATCHED * occurrences &&
    fit.filled >= SMALLEST_FILLED &&
    fit.meanMissDays <= LARGEST_MEAN_MISS_DAYS[cadence]
  )
}

/** What a schedule explains: an occurrence counts three, less the days by which it is missed; a due day without one costs two. */
function worth({ members, meanMissDays, filled }: CadenceFit): number {
  if (members.length === 0) return -Infinity
  return members.length * (3 - meanMissDays) - 2 * (members.length / filled - members.length)
}

/** The candidate that explains more; of two that explain the same, the earlier one. */
function better(a: CadenceFit | undefined, b: CadenceFit): CadenceFit {
  return a === undefined || worth(b) > worth(a) + 1e-9 ? b : a
}

function fitInterval(cadence: 'weekly' | 'biweekly', days: readonly number[]): CadenceFit | undefined {
  const periodDays = PERIOD_DAYS[cadence]
  const phases = new Map(days.map((day) => [day % periodDays, day]))
  let best: CadenceFit | undefined
  for (const anchorDay of phases.values())
    best = better(best, measure({ kind: 'interval', cadence, anchorDay, periodDays }, days))
  return best
}

/** A metered bill keeps a distance from the last one instead of a day of the month; its miss is judged on those distances. */
function fitMeteredMonth(days: readonly number[]): CadenceFit | undefined {
  const gaps = days.slice(1).map((day, index) => day - (days[index] ?? 0))
  const periodDays = median(gaps)
  if (gaps.length < 2 || periodDays < 27 || periodDays > 34) return undefined
  const near = gaps.filter((gap) => Math.abs(gap - periodDays) <= TOLERANCE_DAYS.monthly)
  const schedule: Schedule = { kind: 'interval', cadence: 'monthly', anchorDay: days.at(-1) ?? 0, periodDays }
  const offsets = near.map((gap) => Math.round(gap - periodDays))
  const members = days.map((_, index) => index)
  return { schedule, meanMissDays: mean(offsets.map(Math.abs)), filled: near.length / gaps.length, offsets, members }
}

/** The circle on which days of the month lie, the last day of a month beside the first of the next. */
const MONTH_CIRCLE_DAYS = 31

/** Days of the month that could be the due one: those seen near the circular mean (twice folded when two a month are looked for). */
function likelyDaysOfMonth(days: readonly number[], perMonth: 1 | 2): number[] {
  const observed = new Set(days.map((day) => yearMonthOfDay(day).dayOfMonth))
  if (days.some((day) => yearMonthOfDay(day + 4).dayOfMonth <= 4)) observed.add(31)
  if (days.some((day) => yearMonthOfDay(day).dayOfMonth <= 3)) observed.add(1)
  const turn = (2 * Math.PI * perMonth) / MONTH_CIRCLE_DAYS
  const angles = days.map((day) => yearMonthOfDay(day).dayOfMonth * turn)
  const centre = Math.atan2(mean(angles.map(Math.sin)), mean(angles.map(Math.cos)))
  const near = (dayOfMonth: number): boolean => Math.cos(dayOfMonth * turn - centre) >= Math.cos(2.6 * turn)
  return [...observed].filter(near).sort((a, b) => a - b)
}

const ROLLS: readonly Roll[] = [0, -1, 1]

function fitMonthly(days: readonly number[]): CadenceFit | undefined {
  let best: CadenceFit | undefined
  for (const dayOfMonth of likelyDaysOfMonth(days, 1)) {
    for (const roll of ROLLS) {
      if (best?.meanMissDays === 0 && best.filled === 1) break
      best = better(
        best,
        measure({ kind: 'calendar', cadence: 'monthly', daysOfMonth: [dayOfMonth], monthIndex: 0, roll }, days)
      )
    }
  }
  const metered = fitMeteredMonth(days)
  if (!metered || !isRegular(metered, days.length)) return best
  return best && isRegular(best, days.length) && best.meanMissDays <= metered.meanMissDays ? best : metered
}

function fitSemimonthly(days: readonly number[]): CadenceFit | undefined {
  const observed = likelyDaysOfMonth(days, 2)
  let best: CadenceFit | undefined
  for (const first of observed) {
    for (const second of observed) {
      if (second - first < 11 || second - first > 19) continue
      for (const roll of ROLLS) {
        best = better(
          best,
          measure({ kind: 'calendar', cadence: 'semimonthly', daysOfMonth: [first, second], monthIndex: 0, roll }, days)
        )
      }
    }
  }
  return best
}

/** Yearly looks at the newest occurrence and asks for others a whole number of years before it. */
function fitYearly(days: readonly number[]): CadenceFit | undefined {
  const last = days.at(-1)
  if (last === undefined) return undefined
  const { monthIndex, dayOfMonth } = yearMonthOfDay(last)
  return measure({ kind: 'calendar', cadence: 'yearly', daysOfMonth: [dayOfMonth], monthIndex, roll: 0 }, days)
}

/** Most gaps must be about one period, or about two with one left out, before anything dearer is tried. */
function gapsAgree(gaps: readonly number[], cadence: Cadence): boolean {
  const period = PERIOD_DAYS[cadence]
  const slack = 2 * TOLERANCE_DAYS[cadence]
  const agreeing = gaps.filter((gap) => Math.abs(gap - period) <= slack || Math.abs(gap - 2 * period) <= slack).length
  return agreeing >= SMALLEST_MATCHED * SMALLEST_FILLED * gaps.length
}

function candidates(days: readonly number[]): (CadenceFit | undefined)[] {
  const gaps = days.slice(1).map((day, index) => day - (days[index] ?? 0))
  const gap = median(gaps)
  if (gap >= 5 && gap <= 9 && gapsAgree(gaps, 'weekly')) return [fitInterval('weekly', days)]
  if (gap >= 11 && gap <= 18 && gapsAgree(gaps, 'semimonthly')) {
    const semimonthly = fitSemimonthly(days)
    if (semimonthly) semimonthly.meanMissDays += SEMIMONTHLY_HANDICAP_DAYS
    return [fitInterval('biweekly', days), semimonthly]
  }
  if (gap >= 25 && gap <= 37 && gapsAgree(gaps, 'monthly')) return [fitMonthly(days)]
  if (gap >= 350 && gap <= 380) return [fitYearly(days)]
  return []
}

/** The most fitting cadence of ascending, distinct days, or undefined when they keep none. Asks for at least two days. */
export function fitCadence(days: readonly number[]): CadenceFit | undefined {
  if (days.length < 2) return undefined
  let best: CadenceFit | undefined
  for (const fit of candidates(days)) {
    if (fit && isRegular(fit, days.length) && (!best || fit.meanMissDays < best.meanMissDays)) best = fit
  }
  return best
}
