/** Additive errors, no trend, additive season: ETS(A,N,A), the additive Holt-Winters method without a trend. */

const week = 7
const alphas = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4]
const gammas = [0.001, 0.01, 0.05, 0.1, 0.2]

interface State {
  level: number
  season: number[]
  squaredError: number
}

const smooth = (values: Float64Array, alpha: number, gamma: number): State => {
  const warmUp = Math.min(values.length, 4 * week)
  const first = values.subarray(0, warmUp)
  let level = first.reduce((sum, value) => sum + value, 0) / warmUp
  const season = Array.from({ length: week }, (_, weekday) => {
    const same = first.filter((_value, index) => index % week === weekday)
    return same.reduce((sum, value) => sum + value, 0) / Math.max(1, same.length) - level
  })
  let squaredError = 0
  for (const [index, value] of values.entries()) {
    const seasonal = season[index % week] ?? 0
    const error = value - level - seasonal
    if (index >= warmUp) squaredError += error * error
    level += alpha * error
    season[index % week] = seasonal + gamma * error
  }
  return { level, season, squaredError }
}

/**
 * Forecasts the next values of a daily series by exponential smoothing with a weekly season (Hyndman and Athanasopoulos, Forecasting:
 * Principles and Practice, chapter 8). The smoothing parameters are those with the least squared one-step error.
 */
export const exponentialSmoothing = (values: Float64Array, days: number): number[] => {
  let best: State | undefined
  for (const alpha of alphas) {
    for (const gamma of gammas) {
      const state = smooth(values, alpha, gamma)
      if (best === undefined || state.squaredError < best.squaredError) best = state
    }
  }
  const { level = 0, season = [] } = best ?? {}
  return Array.from({ length: days }, (_, index) => level + (season[(values.length + index) % week] ?? 0))
}
