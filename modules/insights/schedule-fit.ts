import { dueDays, periodDaysOf, type Schedule } from './schedule.ts'
import { mean } from './statistics.ts'

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

interface Limits {
  /** The largest distance between a matching occurrence and its due day; smaller for short periods, where any date would match. */
  toleranceDays: number
  maxMeanMissDays: number
}

/** How far occurrences of a schedule may lie from its due days. */
export const limitsOf = (schedule: Schedule): Limits => {
  const period = periodDaysOf(schedule)
  if (schedule.kind === 'days') {
    if (period <= 7) return { toleranceDays: 1, maxMeanMissDays: 0.6 }
    if (period <= 14) return { toleranceDays: 3, maxMeanMissDays: 1.2 }
    return Number.isInteger(period / 7)
      ? { toleranceDays: 3, maxMeanMissDays: 0.8 }
      : { toleranceDays: 5, maxMeanMissDays: 2.2 }
  }
  if (schedule.kind === 'month-weekday') return { toleranceDays: 3, maxMeanMissDays: 0.8 }
  if (period < 20) return { toleranceDays: 4, maxMeanMissDays: 1.7 }
  if (period < 40) return { toleranceDays: 5, maxMeanMissDays: 2.2 }
  return period < 300 ? { toleranceDays: 6, maxMeanMissDays: 3 } : { toleranceDays: 8, maxMeanMissDays: 5 }
}

/** Fits a schedule to ascending days: matches every due day with its nearest occurrence, and every occurrence with one due day. */
export const fitSchedule = (schedule: Schedule, days: readonly number[]): CadenceFit => {
  const { toleranceDays } = limitsOf(schedule)
  const due = dueDays(schedule, (days[0] ?? 0) - toleranceDays, (days.at(-1) ?? 0) + toleranceDays)
  const offsets: number[] = []
  const members: number[] = []
  let cursor = 0
  let firstHit = -1
  let lastHit = -1
  for (let slot = 0; slot < due.length; slot++) {
    const dueDay = due[slot] ?? 0
    while (cursor < days.length && (days[cursor] ?? 0) < dueDay - toleranceDays) cursor++
    let best = -1
    for (let index = cursor; index < days.length && (days[index] ?? 0) <= dueDay + toleranceDays; index++) {
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

/** Scores a fit: three per occurrence, minus its distance in days, minus two per due day without an occurrence. */
const scoreOf = ({ members, meanMissDays, filled }: CadenceFit): number => {
  if (members.length === 0) return -Infinity
  return members.length * (3 - meanMissDays) - 2 * (members.length / filled - members.length)
}

/** The fit with the highest score as a list; of equal ones the first. Stops at one that is exact. */
export const bestFit = (schedules: Iterable<Schedule>, days: readonly number[]): CadenceFit[] => {
  let best: CadenceFit | undefined
  for (const schedule of schedules) {
    const fit = fitSchedule(schedule, days)
    if (best === undefined || scoreOf(fit) > scoreOf(best) + 1e-9) best = fit
    if (best.meanMissDays === 0 && best.filled === 1 && best.members.length === days.length) break
  }
  return best === undefined ? [] : [best]
}
