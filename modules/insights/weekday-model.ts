import { weekdayOfDay } from './civil-date.ts'
import { clamp, quantileOfSorted } from './statistics.ts'

/** What is left of the daily flow when the recurring streams are taken out, told by weekday. */
export interface WeekdayModel {
  /** Expected net change of the balance on each weekday, Sunday first, in cents (negative: money is spent). */
  meanCents: number[]
  /** Standard deviation of one day around that, in cents, outliers included. */
  spreadCents: number
  /** How many independent days the mean rests on, after decay. */
  effectiveDays: number
}

/** What people spend changes; a day counts half after this many. */
const HALF_LIFE_DAYS = 90
const LONGEST_MEMORY_DAYS = 365
/**
 * An event rarer than this per day is more likely absent from the next 30 days than present (Poisson: 30 λ < ln 2), so the projection,
 * which aims at the median, takes larger days down to the size that is usual at this rate. The band sees them in full.
 */
const RARE_DAY_SHARE = Math.LN2 / 30
/** A weekday counts as itself after about this many weeks; before that it leans on the mean of all days. */
const SHRINKAGE_WEEKS = 6

/**
 * Learns from daily net changes, oldest first, the last entry being the day `lastDay`. Winsorised at both ends, exponentially
 * weighted, each weekday shrunk towards the mean of all days.
 */
export function fitWeekdayModel(dailyCents: ArrayLike<number>, lastDay: number): WeekdayModel {
  const length = dailyCents.length
  const start = Math.max(0, length - LONGEST_MEMORY_DAYS)
  const sorted = Float64Array.from({ length: length - start }, (_, index) => dailyCents[start + index] ?? 0).sort()
  const low = quantileOfSorted(sorted, RARE_DAY_SHARE)
  const high = quantileOfSorted(sorted, 1 - RARE_DAY_SHARE)
  const weights = new Float64Array(7)
  const sums = new Float64Array(7)
  let squares = 0
  let squaredWeights = 0
  for (let index = start; index < length; index++) {
    const raw = dailyCents[index] ?? 0
    const age = length - 1 - index
    const weight = 2 ** (-age / HALF_LIFE_DAYS)
    const weekday = weekdayOfDay(lastDay - age)
    weights[weekday] = (weights[weekday] ?? 0) + weight
    sums[weekday] = (sums[weekday] ?? 0) + weight * clamp(raw, low, high)
    squares += weight * raw * raw
    squaredWeights += weight * weight
  }
  const totalWeight = weights.reduce((a, b) => a + b, 0)
  const overall = totalWeight > 0 ? sums.reduce((a, b) => a + b, 0) / totalWeight : 0
  const meanCents = Array.from(
    weights,
    (weight, weekday) => ((sums[weekday] ?? 0) + SHRINKAGE_WEEKS * overall) / (weight + SHRINKAGE_WEEKS)
  )
  const variance = totalWeight > 0 ? Math.max(0, squares / totalWeight - overall * overall) : 0
  return {
    meanCents,
    spreadCents: Math.sqrt(variance),
    effectiveDays: squaredWeights > 0 ? totalWeight ** 2 / squaredWeights : 0
  }
}
