import { bestFit, limitsOf, type CadenceFit } from './schedule-fit.ts'
import type { Schedule } from './schedule.ts'
import { mean, median } from './statistics.ts'

/** Fits every `weeks` weeks. */
export const fitWeeks = (days: readonly number[], weeks: number): CadenceFit[] => {
  const periodDays = 7 * weeks
  const phases = new Map(days.map((day) => [day % periodDays, day]))
  return bestFit(
    [...phases.values()].map((anchorDay): Schedule => ({ kind: 'days', anchorDay, periodDays })),
    days
  )
}

/** Fits a metered bill, which keeps a distance from the previous one instead of a day of the month. */
export const fitMeteredMonth = (days: readonly number[]): CadenceFit[] => {
  const gaps = days.slice(1).map((day, index) => day - (days[index] ?? 0))
  const periodDays = median(gaps)
  if (gaps.length < 2 || periodDays < 27 || periodDays > 34) return []
  const schedule: Schedule = { kind: 'days', anchorDay: days.at(-1) ?? 0, periodDays }
  const { toleranceDays } = limitsOf(schedule)
  const near = gaps.filter((gap) => Math.abs(gap - periodDays) <= toleranceDays)
  const offsets = near.map((gap) => Math.round(gap - periodDays))
  const members = days.map((_, index) => index)
  return [{ schedule, meanMissDays: mean(offsets.map(Math.abs)), filled: near.length / gaps.length, offsets, members }]
}
