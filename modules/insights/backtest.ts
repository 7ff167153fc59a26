import { project, type History } from './projection.ts'
import { clamp, mean, quantileOfSorted } from './statistics.ts'

/** One earlier forecast of this history compared with what then happened. Index 0 is one day ahead. */
interface Trial {
  /** (actual − projected) / the model's own scale. */
  normalised: Float64Array
  errorCents: Float64Array
  lastBalanceErrorCents: Float64Array
  meanFlowErrorCents: Float64Array
}

export interface Band {
  /** Multiples of the model's scale by which the band lies below (≤ 0) and above (≥ 0) the projection. */
  low: number
  high: number
}

export interface Calibration {
  /** One band for each day ahead. */
  bands: Band[]
  /** Earned trust in the forecast, 0..1; see confidenceOf. */
  confidence: number
  /** How many earlier forecasts it rests on. */
  trials: number
}

/** The band is to hold 80 % of outcomes: the tenth and the ninetieth percentile. */
const TAIL = 0.1
const NORMAL_TAIL = 1.2816
const MOST_TRIALS = 24
const SHORTEST_TRAINING_DAYS = 14
const USUAL_TRAINING_DAYS = 45
const FARTHEST_BACK_DAYS = 400
/** Neighbouring horizons share their normalised errors, within this ratio. */
const SHARED_HORIZON_RATIO = 1.5
/** The prior band counts as much as this many independent stretches of history. */
const PRIOR_WEIGHT = 2
/**
 * Few stretches estimate a quantile too near the centre; widen by 1 + this / stretches (Student's t against the normal,
 * to first order).
 */
const SMALL_SAMPLE_WIDENING = 0.5

/** The days at whose ends a forecast is tried: evenly spread, at most 24, and never always on the same weekday. */
function originDays(history: History): number[] {
  const span = history.lastDay - history.firstDay + 1
  const training = span > 2 * USUAL_TRAINING_DAYS ? USUAL_TRAINING_DAYS : SHORTEST_TRAINING_DAYS
  const earliest = Math.max(history.firstDay + training - 1, history.lastDay - FARTHEST_BACK_DAYS)
  const available = history.lastDay - 1 - earliest
  if (available < 1) return []
  let step = Math.max(2, Math.ceil(available / MOST_TRIALS))
  if (step % 7 === 0) step++
  const origins: number[] = []
  for (let day = history.lastDay - 2; day >= earliest && origins.length < MOST_TRIALS; day -= step) origins.push(day)
  return origins
}

function attempt(history: History, originDay: number, horizonDays: number): Trial {
  const reach = Math.min(horizonDays, history.lastDay - originDay)
  const { changeCents, scaleCents } = project(history, originDay, reach)
  const origin = originDay - history.firstDay
  let total = 0
  for (let index = 0; index <= origin; index++) total += history.dailyNetCents[index] ?? 0
  const meanFlow = total / (origin + 1)
  const trial: Trial = {
    normalised: new Float64Array(reach),
    errorCents: new Float64Array(reach),
    lastBalanceErrorCents: new Float64Array(reach),
    meanFlowErrorCents: new Float64Array(reach)
  }
  let actual = 0
  for (let index = 0; index < reach; index++) {
    actual += history.dailyNetCents[origin + 1 + index] ?? 0
    const error = actual - (changeCents[index] ?? 0)
    trial.errorCents[index] = Math.abs(error)
    trial.normalised[index] = error / (scaleCents[index] ?? 1)
    trial.lastBalanceErrorCents[index] = Math.abs(actual)
    trial.meanFlowErrorCents[index] = Math.abs(actual - meanFlow * (index + 1))
  }
  return trial
}

/** How many stretches of h days the trials cover without overlap: errors of overlapping windows say the same thing twice. */
function stretches(trials: readonly Trial[], horizon: number): number {
  const reaching = trials.filter((trial) => trial.normalised.length >= horizon).length
  return Math.min(reaching, 1 + (reaching * FARTHEST_BACK_DAYS) / MOST_TRIALS / Math.max(horizon, 1))
}

/**
 * Empirical (conformal) 10 % and 90 % quantiles of the normalised errors around horizon h, drawn towards the normal ones while
 * the history is short. Zero is always inside, so that the band holds the projection.
 */
function bandFor(trials: readonly Trial[], horizon: number): Band {
  const errors: number[] = []
  for (const { normalised } of trials) {
    const until = Math.min(normalised.length, Math.floor(horizon * SHARED_HORIZON_RATIO))
    for (let index = Math.ceil(horizon / SHARED_HORIZON_RATIO) - 1; index < until; index++)
      errors.push(normalised[index] ?? 0)
  }
  const sorted = Float64Array.from(errors).sort()
  const count = stretches(trials, horizon)
  const trust = sorted.length === 0 ? 0 : count / (count + PRIOR_WEIGHT)
  const widening = 1 + SMALL_SAMPLE_WIDENING / Math.max(1, count)
  return {
    low: Math.min(0, widening * (trust * quantileOfSorted(sorted, TAIL) - (1 - trust) * NORMAL_TAIL)),
    high: Math.max(0, widening * (trust * quantileOfSorted(sorted, 1 - TAIL) + (1 - trust) * NORMAL_TAIL))
  }
}

function bandsFor(trials: readonly Trial[], horizonDays: number): Band[] {
  return Array.from({ length: horizonDays }, (_, index) => bandFor(trials, index + 1))
}

/** Tries the forecast on this history's own past, and calibrates the band by how far it was off. */
export function backtest(history: History, horizonDays: number): Calibration {
  const trials = originDays(history).map((day) => attempt(history, day, horizonDays))
  return {
    bands: bandsFor(trials, horizonDays),
    confidence: confidenceOf(trials, history, horizonDays),
    trials: trials.length
  }
}

function overall(trials: readonly Trial[], pick: (trial: Trial) => Float64Array): number {
  return mean(trials.flatMap((trial) => [...pick(trial)]))
}

/**
 * confidence = evidence × (0.5 · accuracy + 0.25 · skill + 0.25 · honesty), each 0..1, from the backtest alone:
 * - accuracy = 1 / (1 + 4 · e / T): e the mean absolute error over all days ahead, T the gross flow (in and out) of a usual horizon;
 * - skill = 1 − e / (mean absolute error of the better naive forecast: last balance, or mean daily flow), not below 0;
 * - honesty = 1 − |c − 0.8| / 0.8: c the share of later outcomes inside the bands that only the other trials calibrated;
 * - evidence = n / (n + 2): n the stretches of a whole horizon that were tried. Without any backtest the confidence is 0.
 */
function confidenceOf(trials: readonly Trial[], history: History, horizonDays: number): number {
  const n = stretches(trials, horizonDays)
  if (trials.length < 2 || n === 0) return 0
  const error = overall(trials, (trial) => trial.errorCents)
  const naive = Math.min(
    overall(trials, (trial) => trial.lastBalanceErrorCents),
    overall(trials, (trial) => trial.meanFlowErrorCents)
  )
  const usualFlow = mean([...history.dailyNetCents].map(Math.abs)) * horizonDays
  const accuracy = usualFlow > 0 ? 1 / (1 + (4 * error) / usualFlow) : 1
  const skill = naive > 0 ? clamp(1 - error / naive, 0, 1) : error > 0 ? 0 : 1
  const honesty = 1 - Math.abs(crossValidatedCoverage(trials, horizonDays) - (1 - 2 * TAIL)) / (1 - 2 * TAIL)
  const score = (n / (n + 2)) * (0.5 * accuracy + 0.25 * skill + 0.25 * honesty)
  return Math.round(clamp(score, 0, 1) * 100) / 100
}

/** Share of outcomes inside bands calibrated without them: the newer half of the trials judged by the older one, and the reverse. */
function crossValidatedCoverage(trials: readonly Trial[], horizonDays: number): number {
  const half = Math.ceil(trials.length / 2)
  const halves = [trials.slice(0, half), trials.slice(half)]
  let inside = 0
  let count = 0
  for (const [index, judged] of halves.entries()) {
    const bands = bandsFor(halves[1 - index] ?? [], horizonDays)
    for (const { normalised } of judged) {
      for (const [ahead, error] of normalised.entries()) {
        const band = bands[ahead]
        if (band && error >= band.low && error <= band.high) inside++
        count++
      }
    }
  }
  return count === 0 ? 0 : inside / count
}
