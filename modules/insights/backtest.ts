import { project, type History } from './projection.ts'
import { clamp, mean, quantileOfSorted } from './statistics.ts'

/** One past forecast compared with the actual outcome. Index 0 is one day ahead. */
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
  /** One band per day ahead. */
  bands: Band[]
  /** 0..1; see confidenceOf. */
  confidence: number
  /** The number of past forecasts that it is based on. */
  trials: number
}

/** The band covers 80 % of outcomes: the 10th to the 90th percentile. */
const tailProbability = 0.1
const normalTail = 1.2816
const maxTrials = 24
const minTrainingDays = 14
const usualTrainingDays = 45
const maxLookbackDays = 400
/** Horizons within this ratio share their normalised errors. */
const sharedHorizonRatio = 1.5
/** The prior band weighs as much as this many independent periods of history. */
const priorWeight = 1
/**
 * Few periods place a quantile too near the centre. Widens the band by 1 + this / periods (Student's t against the normal, to first
 * order).
 */
const smallSampleWidening = 1.2

/** The days from which past forecasts start: evenly spread, at most 24, and on varying weekdays. */
const originDays = (history: History): number[] => {
  const span = history.lastDay - history.firstDay + 1
  const training = span > 2 * usualTrainingDays ? usualTrainingDays : minTrainingDays
  const earliest = Math.max(history.firstDay + training - 1, history.lastDay - maxLookbackDays)
  const available = history.lastDay - 1 - earliest
  if (available < 1) return []
  let step = Math.max(2, Math.ceil(available / maxTrials))
  if (step % 7 === 0) step++
  const origins: number[] = []
  for (let day = history.lastDay - 2; day >= earliest && origins.length < maxTrials; day -= step) origins.push(day)
  return origins
}

const runTrial = (history: History, originDay: number, horizonDays: number): Trial => {
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

/** The number of independent periods of `horizon` days that the trials cover: overlapping trials have correlated errors. */
const independentPeriods = (trials: readonly Trial[], horizon: number): number => {
  const reaching = trials.filter((trial) => trial.normalised.length >= horizon).length
  return Math.min(reaching, 1 + (reaching * maxLookbackDays) / maxTrials / Math.max(horizon, 1))
}

/**
 * Empirical (conformal) 10 % and 90 % quantiles of the normalised errors around a horizon, shrunk towards normal quantiles while the
 * history is short. The band always contains zero, and so the projection.
 */
const bandFor = (trials: readonly Trial[], horizon: number): Band => {
  const errors: number[] = []
  for (const { normalised } of trials) {
    const until = Math.min(normalised.length, Math.floor(horizon * sharedHorizonRatio))
    for (let index = Math.ceil(horizon / sharedHorizonRatio) - 1; index < until; index++)
      errors.push(normalised[index] ?? 0)
  }
  const sorted = Float64Array.from(errors).sort()
  const count = independentPeriods(trials, horizon)
  const trust = sorted.length === 0 ? 0 : count / (count + priorWeight)
  const widening = 1 + smallSampleWidening / Math.max(1, count)
  return {
    low: Math.min(0, widening * (trust * quantileOfSorted(sorted, tailProbability) - (1 - trust) * normalTail)),
    high: Math.max(0, widening * (trust * quantileOfSorted(sorted, 1 - tailProbability) + (1 - trust) * normalTail))
  }
}

const bandsFor = (trials: readonly Trial[], horizonDays: number): Band[] =>
  Array.from({ length: horizonDays }, (_, index) => bandFor(trials, index + 1))

/** Runs the forecast on the past of this history, and calibrates the band by its errors. */
export const backtest = (history: History, horizonDays: number): Calibration => {
  const trials = originDays(history).map((day) => runTrial(history, day, horizonDays))
  return {
    bands: bandsFor(trials, horizonDays),
    confidence: confidenceOf(trials, history, horizonDays),
    trials: trials.length
  }
}

const overall = (trials: readonly Trial[], pick: (trial: Trial) => Float64Array): number =>
  mean(trials.flatMap((trial) => [...pick(trial)]))

/**
 * confidence = evidence × (0.5 · accuracy + 0.25 · skill + 0.25 · coverage), each 0..1, from the backtest alone:
 * - accuracy = 1 / (1 + 4 · e / T): e the mean absolute error over all days ahead, T the gross flow (in and out) of a usual horizon;
 * - skill = 1 − e / (mean absolute error of the better naive forecast: last balance, or mean daily flow), not below 0;
 * - coverage = 1 − |c − 0.8| / 0.8: c the share of outcomes inside bands that the other trials calibrated;
 * - evidence = n / (n + 2): n the independent periods of a whole horizon. Without a backtest the confidence is 0.
 */
const confidenceOf = (trials: readonly Trial[], history: History, horizonDays: number): number => {
  const n = independentPeriods(trials, horizonDays)
  if (trials.length < 2 || n === 0) return 0
  const error = overall(trials, (trial) => trial.errorCents)
  const naive = Math.min(
    overall(trials, (trial) => trial.lastBalanceErrorCents),
    overall(trials, (trial) => trial.meanFlowErrorCents)
  )
  const usualFlow = mean([...history.dailyNetCents].map(Math.abs)) * horizonDays
  const accuracy = usualFlow > 0 ? 1 / (1 + (4 * error) / usualFlow) : 1
  const skill = naive > 0 ? clamp(1 - error / naive, 0, 1) : error > 0 ? 0 : 1
  const coverage =
    1 - Math.abs(crossValidatedCoverage(trials, horizonDays) - (1 - 2 * tailProbability)) / (1 - 2 * tailProbability)
  const score = (n / (n + 2)) * (0.5 * accuracy + 0.25 * skill + 0.25 * coverage)
  return Math.round(clamp(score, 0, 1) * 100) / 100
}

/** The share of outcomes inside bands that the other half of the trials calibrated. */
const crossValidatedCoverage = (trials: readonly Trial[], horizonDays: number): number => {
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
