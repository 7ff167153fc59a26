import { fitMonthDays, fitMonthWeekday, fitSemimonthly } from './month-fits.ts'
import { fitMeteredMonth, fitWeeks } from './week-fits.ts'
import { daysPerMonth } from './schedule.ts'
import { limitsOf, type CadenceFit } from './schedule-fit.ts'
import { median } from './statistics.ts'

const minMatched = 0.8
const minFilled = 0.75
const mostMonths = 24
const mostWeeks = 13
/** Semimonthly must beat biweekly by this margin, because two free anchors always fit slightly better than one. */
const semimonthlyHandicapDays = 0.3

/** Whether a fit explains the occurrences: most of them match, most due days have one, and the distances are small. */
const isRegular = (fit: CadenceFit, occurrences: number, leniency: number): boolean =>
  fit.members.length >= minMatched * occurrences &&
  fit.filled >= minFilled &&
  fit.meanMissDays <= leniency * limitsOf(fit.schedule).maxMeanMissDays

/** Cheap check before an expensive fit: most gaps are about one period, or two with one payment missing. */
const gapsAgree = (gaps: readonly number[], period: number, slack: number): boolean => {
  const agreeing = gaps.filter((gap) => Math.abs(gap - period) <= slack || Math.abs(gap - 2 * period) <= slack).length
  return agreeing >= minMatched * minFilled * gaps.length
}

/** Whether a period of days is about a whole number of months, such as 4, 9 and 13 weeks. */
const looksLikeMonths = (period: number): boolean =>
  period > 14 && Math.abs(period - daysPerMonth * Math.round(period / daysPerMonth)) <= 3

const weekCandidates = (days: readonly number[], gaps: readonly number[], gap: number): CadenceFit[] => {
  const weeks = Math.round(gap / 7)
  const slack = weeks === 1 ? 2 : weeks === 2 ? 6 : 3
  if (weeks < 1 || weeks > mostWeeks || Math.abs(gap - 7 * weeks) > slack) return []
  if (!gapsAgree(gaps, 7 * weeks, slack)) return []
  const fits = fitWeeks(days, weeks)
  // Late payments of every third month come every thirteen weeks, too, now and then.
  return looksLikeMonths(7 * weeks)
    ? fits.filter((fit) => fit.members.length === days.length && fit.filled === 1)
    : fits
}

const monthCandidates = (days: readonly number[], gaps: readonly number[], gap: number): CadenceFit[] => {
  const months = Math.max(1, Math.round(gap / daysPerMonth))
  const slack = months === 1 ? 10 : 14
  if (gap < 25 || months > mostMonths || Math.abs(gap - months * daysPerMonth) > slack) return []
  if (!gapsAgree(gaps, months * daysPerMonth, slack)) return []
  const byDay = fitMonthDays(days, months)
  const isExact = byDay.some(({ meanMissDays, filled }) => meanMissDays === 0 && filled === 1)
  if (isExact) return byDay
  return [...byDay, ...fitMonthWeekday(days, months), ...(months === 1 ? fitMeteredMonth(days) : [])]
}

const semimonthlyCandidates = (days: readonly number[], gaps: readonly number[], gap: number): CadenceFit[] => {
  if (gap < 11 || gap > 18 || !gapsAgree(gaps, 15.2, 8)) return []
  return fitSemimonthly(days).map((fit) => ({ ...fit, meanMissDays: fit.meanMissDays + semimonthlyHandicapDays }))
}

/**
 * The best cadence for at least two ascending, distinct days; undefined when there is none: any number of weeks, twice a month, or any
 * number of months by day or by weekday. Of equally good ones it is months before weeks.
 * @param leniency by how much occurrences may be farther from their due days than usual.
 */
export const fitCadence = (days: readonly number[], leniency = 1): CadenceFit | undefined => {
  if (days.length < 2) return undefined
  const gaps = days.slice(1).map((day, index) => day - (days[index] ?? 0))
  const gap = median(gaps)
  let best: CadenceFit | undefined
  for (const find of [monthCandidates, weekCandidates, semimonthlyCandidates]) {
    for (const fit of find(days, gaps, gap)) {
      if (isRegular(fit, days.length, leniency) && (!best || fit.meanMissDays < best.meanMissDays - 1e-9)) best = fit
    }
  }
  return best
}
