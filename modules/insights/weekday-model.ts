import { weekdayOfDay } from './civil-date.ts'
import { clamp, quantileOfSorted } from './statistics.ts'

/** The daily flow by weekday, without recurring streams. */
export interface WeekdayModel {
  /** Expected net balance change per weekday, Sunday first, in cents. */
  meanCents: number[]
  /** Standard deviation of a day, in cents, including outliers. */
  spreadCents: number
  /** The effective sample size of the mean, in days, after decay. */
  effectiveDays: number
}

/** The weight of a day halves after this many days, because spending changes. */
const halfLifeDays = 90
const maxMemoryDays = 365
/**
 * An event with a lower daily rate is more likely absent from the next 30 days than present (Poisson: 30 λ < ln 2). The projection aims
 * at the median and clamps such days; the band includes them in full.
 */
const rareDayShare = Math.LN2 / 30
/** The weight, in weeks, of the mean of all days in the mean of a weekday. */
const shrinkageWeeks = 6

/**
 * Fits the model to daily net changes, oldest first, up to `lastDay`: winsorised at both ends, exponentially weighted, and with each
 * weekday shrunk towards the mean of all days.
 */
export const fitWeekdayModel = (dailyCents: ArrayLike<number>, lastDay: number): WeekdayModel => {
  const length = dailyCents.length
  const start = Math.max(0, length - maxMemoryDays)
  const sorted = Float64Array.from({ length: length - start }, (_, index) => dailyCents[start + index] ?? 0).sort()
  const low = quantileOfSorted(sorted, rareDayShare)
  const high = quantileOfSorted(sorted, 1 - rareDayShare)
  const weights = new Float64Array(7)
  const sums = new Float64Array(7)
  let squares = 0
  let squaredWeights = 0
  for (let index = start; index < length; index++) {
    const raw = dailyCents[index] ?? 0
    const age = length - 1 - index
    const weight = 2 ** (-age / halfLifeDays)
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
    (weight, weekday) => ((sums[weekday] ?? 0) + shrinkageWeeks * overall) / (weight + shrinkageWeeks)
  )
  const variance = totalWeight > 0 ? Math.max(0, squares / totalWeight - overall * overall) : 0
  return {
    meanCents,
    spreadCents: Math.sqrt(variance),
    effectiveDays: squaredWeights > 0 ? totalWeight ** 2 / squaredWeights : 0
  }
}
