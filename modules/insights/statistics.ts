/** The statistics of the forecast; no function modifies its arguments. */

/** Linear-interpolation quantile (Hyndman and Fan, type 7) of an ascending list; 0 for an empty one. */
export const quantileOfSorted = (sorted: ArrayLike<number>, probability: number): number => {
  if (sorted.length === 0) return 0
  const position = Math.min(Math.max(probability, 0), 1) * (sorted.length - 1)
  const below = Math.floor(position)
  const low = sorted[below] ?? 0
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? low
  return low + (high - low) * (position - below)
}

export const median = (values: readonly number[]): number =>
  quantileOfSorted(
    [...values].sort((a, b) => a - b),
    0.5
  )

export const mean = (values: readonly number[]): number => {
  let sum = 0
  for (const value of values) sum += value
  return values.length === 0 ? 0 : sum / values.length
}

/** Median absolute deviation from the median, unscaled. */
export const medianDeviation = (values: readonly number[]): number => {
  const centre = median(values)
  return median(values.map((value) => Math.abs(value - centre)))
}

export const clamp = (value: number, low: number, high: number): number => Math.min(Math.max(value, low), high)
