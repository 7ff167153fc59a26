import { dayOfYearMonth, weekdayOfDay, yearMonthOfDay } from './civil-date.ts'
import { mean, median } from './statistics.ts'

export type Cadence = 'weekly' | 'biweekly' | 'semimonthly' | 'monthly' | 'yearly'

/**
 * When payments are due. `calendar` uses days of the month (for yearly, in every twelfth month from `monthIndex`). `interval` counts
 * from `anchorDay`, which is the latest payment for a metered monthly bill.
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

/** Moves a due day on a weekend to Friday (-1) or Monday (1), or keeps it (0). */
export type Roll = -1 | 0 | 1

export interface CadenceFit {
  schedule: Schedule
  /** Mean distance in days between occurrences and the schedule. */
  meanMissDays: number
  /** Share of due days with an occurrence, 0..1. */
  filled: number
  /** Days late (negative: early) of each matching occurrence. */
  offsets: number[]
  /** Indexes of the matching occurrences. */
  members: number[]
}

/** Usual number of days between two due days. */
export const usualPeriodDays: Record<Cadence, number> = {
  weekly: 7,
  biweekly: 14,
  semimonthly: 15.2,
  monthly: 30.4,
  yearly: 365.25
}

/** The largest distance between a matching occurrence and its due day; smaller for short periods, where any date would match. */
const toleranceDays: Record<Cadence, number> = { weekly: 1, biweekly: 3, semimonthly: 4, monthly: 5, yearly: 8 }
const maxMeanMissDays: Record<Cadence, number> = {
  weekly: 0.6,
  biweekly: 1.2,
  semimonthly: 1.7,
  monthly: 2.2,
  yearly: 6
}
const minMatched = 0.8
const minFilled = 0.75
/** Semimonthly must beat biweekly by this margin, because two free anchors always fit slightly better than one. */
const semimonthlyHandicapDays = 0.3

const rollWeekend = (day: number, roll: Roll): number => {
  if (roll === 0) return day
  const weekday = weekdayOfDay(day)
  if (weekday === 6) return roll === 1 ? day + 2 : day - 1
  if (weekday === 0) return roll === 1 ? day + 1 : day - 2
  return day
}

/** The due days of a schedule between two days, inclusive and ascending. */
export const dueDays = (schedule: Schedule, fromDay: number, toDay: number): number[] => {
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

/** Fits a schedule to ascending days: matches every due day with its nearest occurrence, and every occurrence with one due day. */
const fitSchedule = (schedule: Schedule, days: readonly number[]): CadenceFit => {
  const tolerance = toleranceDays[schedule.cadence]
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

const isRegular = (fit: CadenceFit, occurrences: number): boolean => {
  const { cadence } = fit.schedule
  return (
    fit.members.length >= minMatched * occurrences &&
    fit.filled >= minFilled &&
    fit.meanMissDays <= maxMeanMissDays[cadence]
  )
}

/** Scores a fit: three per occurrence, minus its distance in days, minus two per due day without an occurrence. */
const scoreOf = ({ members, meanMissDays, filled }: CadenceFit): number => {
  if (members.length === 0) return -Infinity
  return members.length * (3 - meanMissDays) - 2 * (members.length / filled - members.length)
}

/** The fit with the higher score; of equal ones the first. */
const better = (a: CadenceFit | undefined, b: CadenceFit): CadenceFit =>
  a === undefined || scoreOf(b) > scoreOf(a) + 1e-9 ? b : a

const fitInterval = (cadence: 'weekly' | 'biweekly', days: readonly number[]): CadenceFit | undefined => {
  const periodDays = usualPeriodDays[cadence]
  const phases = new Map(days.map((day) => [day % periodDays, day]))
  let best: CadenceFit | undefined
  for (const anchorDay of phases.values())
    best = better(best, fitSchedule({ kind: 'interval', cadence, anchorDay, periodDays }, days))
  return best
}

/** Fits a metered bill, which keeps a distance from the previous one instead of a day of the month. */
const fitMeteredMonth = (days: readonly number[]): CadenceFit | undefined => {
  const gaps = days.slice(1).map((day, index) => day - (days[index] ?? 0))
  const periodDays = median(gaps)
  if (gaps.length < 2 || periodDays < 27 || periodDays > 34) return undefined
  const near = gaps.filter((gap) => Math.abs(gap - periodDays) <= toleranceDays.monthly)
  const schedule: Schedule = { kind: 'interval', cadence: 'monthly', anchorDay: days.at(-1) ?? 0, periodDays }
  const offsets = near.map((gap) => Math.round(gap - periodDays))
  const members = days.map((_, index) => index)
  return { schedule, meanMissDays: mean(offsets.map(Math.abs)), filled: near.length / gaps.length, offsets, members }
}

/** The days of the month form a circle, on which the last day is next to the first. */
const monthCircleDays = 31

/** The observed days of the month near their circular mean, which is folded twice for two payments a month. */
const likelyDaysOfMonth = (days: readonly number[], perMonth: 1 | 2): number[] => {
  const observed = new Set(days.map((day) => yearMonthOfDay(day).dayOfMonth))
  if (days.some((day) => yearMonthOfDay(day + 4).dayOfMonth <= 4)) observed.add(31)
  if (days.some((day) => yearMonthOfDay(day).dayOfMonth <= 3)) observed.add(1)
  const turn = (2 * Math.PI * perMonth) / monthCircleDays
  const angles = days.map((day) => yearMonthOfDay(day).dayOfMonth * turn)
  const centre = Math.atan2(mean(angles.map(Math.sin)), mean(angles.map(Math.cos)))
  const near = (dayOfMonth: number): boolean => Math.cos(dayOfMonth * turn - centre) >= Math.cos(2.6 * turn)
  return [...observed].filter(near).sort((a, b) => a - b)
}

const rolls: readonly Roll[] = [0, -1, 1]

const fitMonthly = (days: readonly number[]): CadenceFit | undefined => {
  let best: CadenceFit | undefined
  for (const dayOfMonth of likelyDaysOfMonth(days, 1)) {
    const daysOfMonth = [dayOfMonth]
    for (const roll of rolls) {
      if (best?.meanMissDays === 0 && best.filled === 1) break
      best = better(best, fitSchedule({ kind: 'calendar', cadence: 'monthly', daysOfMonth, monthIndex: 0, roll }, days))
    }
  }
  const metered = fitMeteredMonth(days)
  if (!metered || !isRegular(metered, days.length)) return best
  return best && isRegular(best, days.length) && best.meanMissDays <= metered.meanMissDays ? best : metered
}

const fitSemimonthly = (days: readonly number[]): CadenceFit | undefined => {
  const observed = likelyDaysOfMonth(days, 2)
  let best: CadenceFit | undefined
  for (const first of observed) {
    for (const second of observed.filter((day) => day - first >= 11 && day - first <= 19)) {
      for (const roll of rolls) {
        const daysOfMonth = [first, second]
        best = better(
          best,
          fitSchedule({ kind: 'calendar', cadence: 'semimonthly', daysOfMonth, monthIndex: 0, roll }, days)
        )
      }
    }
  }
  return best
}

/** Fits occurrences that are whole years before the newest one. */
const fitYearly = (days: readonly number[]): CadenceFit | undefined => {
  const last = days.at(-1)
  if (last === undefined) return undefined
  const { monthIndex, dayOfMonth } = yearMonthOfDay(last)
  return fitSchedule({ kind: 'calendar', cadence: 'yearly', daysOfMonth: [dayOfMonth], monthIndex, roll: 0 }, days)
}

/** Cheap check before an expensive fit: most gaps are about one period, or two with one payment missing. */
const gapsAgree = (gaps: readonly number[], cadence: Cadence): boolean => {
  const period = usualPeriodDays[cadence]
  const slack = 2 * toleranceDays[cadence]
  const agreeing = gaps.filter((gap) => Math.abs(gap - period) <= slack || Math.abs(gap - 2 * period) <= slack).length
  return agreeing >= minMatched * minFilled * gaps.length
}

const candidates = (days: readonly number[]): (CadenceFit | undefined)[] => {
  const gaps = days.slice(1).map((day, index) => day - (days[index] ?? 0))
  const gap = median(gaps)
  if (gap >= 5 && gap <= 9 && gapsAgree(gaps, 'weekly')) return [fitInterval('weekly', days)]
  if (gap >= 11 && gap <= 18 && gapsAgree(gaps, 'semimonthly')) {
    const semimonthly = fitSemimonthly(days)
    if (semimonthly) semimonthly.meanMissDays += semimonthlyHandicapDays
    return [fitInterval('biweekly', days), semimonthly]
  }
  if (gap >= 25 && gap <= 37 && gapsAgree(gaps, 'monthly')) return [fitMonthly(days)]
  if (gap >= 350 && gap <= 380) return [fitYearly(days)]
  return []
}

/** The best cadence for at least two ascending, distinct days; undefined when there is none. */
export const fitCadence = (days: readonly number[]): CadenceFit | undefined => {
  if (days.length < 2) return undefined
  let best: CadenceFit | undefined
  for (const fit of candidates(days)) {
    if (fit && isRegular(fit, days.length) && (!best || fit.meanMissDays < best.meanMissDays)) best = fit
  }
  return best
}
