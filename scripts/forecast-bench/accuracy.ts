import { dateOfDay, dayOfDate } from '../../modules/insights/civil-date.ts'
import { forecastCashFlow } from '../../modules/insights/forecast.ts'
import type { BankHistory } from './people.ts'

const horizons = [7, 14, 30] as const
export const horizonDays = 30
const shortestPastDays = 60
const coverageRange = [0.75, 0.85] as const

interface Outcome {
  horizon: number
  /** Absolute errors in cents. */
  oursCents: number
  lastBalanceCents: number
  meanFlowCents: number
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
const dayBook = (history: BankHistory): { balanceCents: Float64Array; outflowCents: Float64Array } => {
  const { transactions, firstDay, lastDay, openingBalanceCents } = history
  const balanceCents = new Float64Array(lastDay - firstDay + 1)
  const outflowCents = new Float64Array(lastDay - firstDay + 1)
  for (const { date, amountCents } of transactions) {
    const index = dayOfDate(date) - firstDay
    balanceCents[index] = (balanceCents[index] ?? 0) - amountCents
    outflowCents[index] = (outflowCents[index] ?? 0) + Math.max(0, amountCents)
  }
  let balance = openingBalanceCents
  for (let index = 0; index < balanceCents.length; index++) {
    balance += balanceCents[index] ?? 0
    balanceCents[index] = balance
  }
  return { balanceCents, outflowCents }
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

/** Forecasts one history from several of its days and records the outcomes. */
export const judgeHistory = (history: BankHistory, origins: number, result: BenchResult): void => {
  const { balanceCents, outflowCents } = dayBook(history)
  for (const origin of originIndexes(balanceCents.length, origins)) {
    const asOf = dateOfDay(history.firstDay + origin)
    const currentBalanceCents = balanceCents[origin] ?? 0
    const started = performance.now()
    const forecast = forecastCashFlow({
      transactions: history.transactions,
      currentBalanceCents,
      asOf,
      horizonDays
    })
    result.slowestMs = Math.max(result.slowestMs, performance.now() - started)
    result.confidences.push(forecast.confidence)
    const meanFlowCents = (currentBalanceCents - history.openingBalanceCents) / (origin + 1)
    const monthlyOutflowCents = (outflowCents.slice(0, origin + 1).reduce((a, b) => a + b, 0) / (origin + 1)) * 30.4
    for (const [index, day] of forecast.daily.entries()) {
      const horizon = index + 1
      const actual = balanceCents[origin + horizon] ?? 0
      const inside = Number(actual >= day.lowCents && actual <= day.highCents)
      result.inside += inside
      result.judged++
      const tally = result.insideByHorizon.get(horizon)
      if (!tally) continue
      tally.inside += inside
      tally.judged++
      result.outcomes.push({
        horizon,
        monthlyOutflowCents,
        oursCents: Math.abs(actual - day.projectedBalanceCents),
        lastBalanceCents: Math.abs(actual - currentBalanceCents),
        meanFlowCents: Math.abs(actual - currentBalanceCents - meanFlowCents * horizon)
      })
    }
  }
}

export const methods = [
  ['ours', 'oursCents'],
  ['last balance', 'lastBalanceCents'],
  ['mean daily flow', 'meanFlowCents']
] as const

export const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

/** Prints the table and returns whether the forecast meets its targets. */
export const report = (result: BenchResult, print: (line: string) => void): boolean => {
  let kept = true
  print('h    method            MAE $      of monthly outflow')
  for (const horizon of horizons) {
    const outcomes = result.outcomes.filter((outcome) => outcome.horizon === horizon)
    const scores = methods.map(([name, field]) => ({
      name,
      dollars: mean(outcomes.map((outcome) => outcome[field])) / 100,
      relative: mean(outcomes.map((outcome) => outcome[field] / Math.max(1, outcome.monthlyOutflowCents)))
    }))
    const [ours, ...naive] = scores
    for (const { name, dollars, relative } of scores) {
      const percent = (relative * 100).toFixed(1).padStart(6)
      print(`${String(horizon).padEnd(4)} ${name.padEnd(16)} ${dollars.toFixed(2).padStart(8)}   ${percent} %`)
    }
    if (!ours || naive.some((other) => other.dollars <= ours.dollars || other.relative <= ours.relative)) kept = false
  }
  const coverage = result.inside / Math.max(1, result.judged)
  const byHorizon = [...result.insideByHorizon].map(
    ([horizon, { inside, judged }]) => `h=${horizon} ${((100 * inside) / Math.max(1, judged)).toFixed(1)} %`
  )
  print(`coverage of the 80 % band: ${(100 * coverage).toFixed(1)} % (${byHorizon.join(', ')})`)
  const confidences = [...result.confidences].sort((a, b) => a - b)
  print(`confidence: ${confidences[0]} to ${confidences.at(-1)}, mean ${mean(confidences).toFixed(2)}`)
  print(`slowest forecast: ${result.slowestMs.toFixed(0)} ms`)
  if (coverage < coverageRange[0] || coverage > coverageRange[1]) kept = false
  return kept
}
