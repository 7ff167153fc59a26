import { dateOfDay, dayOfDate } from '../../modules/insights/civil-date.ts'
import { forecastCashFlow } from '../../modules/insights/forecast.ts'
import { exponentialSmoothing } from './exponential-smoothing.ts'
import type { BankHistory } from './people.ts'
import { seasonalNaive } from './seasonal-naive.ts'

export const horizons = [7, 14, 30] as const
export const horizonDays = 30
const shortestPastDays = 60

/** A method predicts the change of the balance since the origin for each of the next days, from the daily net flow so far. */
type Method = (pastCents: Float64Array, lastDay: number, days: number) => number[]

const cumulated = (flows: readonly number[]): number[] => {
  let total = 0
  return flows.map((flow) => (total += flow))
}

const lastBalance: Method = (_past, _lastDay, days) => new Array<number>(days).fill(0)

const meanDailyFlow: Method = (past, _lastDay, days) => {
  const flow = past.reduce((sum, cents) => sum + cents, 0) / past.length
  return Array.from({ length: days }, (_, index) => flow * (index + 1))
}

/** What the forecast is compared with: two naive forecasts, and two published methods. */
export const rivals: readonly (readonly [name: string, method: Method])[] = [
  ['last balance', lastBalance],
  ['mean daily flow', meanDailyFlow],
  ['seasonal naive', (past, lastDay, days) => cumulated(seasonalNaive(past, lastDay, days))],
  ['ETS', (past, _lastDay, days) => cumulated(exponentialSmoothing(past, days))]
]

export const methodNames = ['ours', ...rivals.map(([name]) => name)]

export interface Outcome {
  horizon: number
  /** Absolute errors in cents, in the order of `methodNames`. */
  errorsCents: number[]
  /** Mean monthly outflow before the forecast, for relative errors. */
  monthlyOutflowCents: number
}

export interface BenchResult {
  outcomes: Outcome[]
  inside: number
  judged: number
  insideByHorizon: Map<number, { inside: number; judged: number }>
  confidences: number[]
  slowestMs: number
}

/** Net change and gross outflow by day, and the balance at the end of any day. */
const dayBook = (history: BankHistory) => {
  const { transactions, firstDay, lastDay, openingBalanceCents } = history
  const netCents = new Float64Array(lastDay - firstDay + 1)
  const outflowCents = new Float64Array(lastDay - firstDay + 1)
  for (const { date, amountCents } of transactions) {
    const index = dayOfDate(date) - firstDay
    netCents[index] = (netCents[index] ?? 0) - amountCents
    outflowCents[index] = (outflowCents[index] ?? 0) + Math.max(0, amountCents)
  }
  let balance = openingBalanceCents
  const balanceCents = netCents.map((net) => (balance += net))
  return { netCents, balanceCents, outflowCents }
}

/** The days to forecast from, spread over the later part of the history, at least one horizon before its end. */
const originIndexes = (length: number, count: number): number[] => {
  const last = length - 1 - horizonDays
  const first = Math.max(shortestPastDays, Math.min(last, last - 23 * (count - 1)))
  const step = count > 1 ? Math.max(1, Math.floor((last - first) / (count - 1))) : 1
  const indexes: number[] = []
  for (let index = last; index >= first && indexes.length < count; index -= step) indexes.push(index)
  return indexes
}

export const newResult = (): BenchResult => {
  const insideByHorizon = new Map(horizons.map((horizon) => [horizon as number, { inside: 0, judged: 0 }]))
  return { outcomes: [], inside: 0, judged: 0, insideByHorizon, confidences: [], slowestMs: 0 }
}

/**
 * What the bank shows at the end of a day: everything until then, and what it books ahead. Its balance is net of pending transactions.
 */
const shownOn = ({ transactions }: BankHistory, day: number, balanceCents: number) => {
  const shown = transactions.filter(({ date, shownDay }) => (shownDay ?? dayOfDate(date)) <= day)
  const pendingAhead = shown.filter(({ date, pending }) => pending && dayOfDate(date) > day)
  return {
    transactions: shown,
    currentBalanceCents: balanceCents - pendingAhead.reduce((sum, { amountCents }) => sum + amountCents, 0)
  }
}

/** Forecasts one history from several of its days and records the outcomes. */
export const judgeHistory = (history: BankHistory, origins: number, result: BenchResult): void => {
  const { netCents, balanceCents, outflowCents } = dayBook(history)
  for (const origin of originIndexes(balanceCents.length, origins)) {
    const day = history.firstDay + origin
    const balance = balanceCents[origin] ?? 0
    const started = performance.now()
    const forecast = forecastCashFlow({ ...shownOn(history, day, balance), asOf: dateOfDay(day), horizonDays })
    result.slowestMs = Math.max(result.slowestMs, performance.now() - started)
    result.confidences.push(forecast.confidence)
    const past = netCents.slice(0, origin + 1)
    const predictions = rivals.map(([, method]) => method(past, day, horizonDays))
    const monthlyOutflowCents = (outflowCents.slice(0, origin + 1).reduce((a, b) => a + b, 0) / (origin + 1)) * 30.4
    for (const [index, projected] of forecast.daily.entries()) {
      const horizon = index + 1
      const actual = balanceCents[origin + horizon] ?? 0
      const inside = Number(actual >= projected.lowCents && actual <= projected.highCents)
      result.inside += inside
      result.judged++
      const tally = result.insideByHorizon.get(horizon)
      if (!tally) continue
      tally.inside += inside
      tally.judged++
      const theirs = predictions.map((changes) => Math.abs(actual - balance - (changes[index] ?? 0)))
      const errorsCents = [Math.abs(actual - projected.projectedBalanceCents), ...theirs]
      result.outcomes.push({ horizon, monthlyOutflowCents, errorsCents })
    }
  }
}
