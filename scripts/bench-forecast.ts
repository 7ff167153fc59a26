/**
 * Measures the cash-flow forecast on histories that were not used for tuning: the error of the balance 7, 14 and 30 days ahead, compared with two naive
 * forecasts, and the coverage of the 80 % band. Exits with 1 unless it beats both and the coverage is between 75 and 85 %.
 */
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { dateOfDay, dayOfDate } from '../modules/insights/civil-date.ts'
import { forecastCashFlow } from '../modules/insights/forecast.ts'
import { simulatorHistory } from './simulator-histories.ts'
import { syntheticPerson, type BankHistory, type HistorySource } from './synthetic-people.ts'

const HELP = `Usage: npm run bench:forecast -- [options]

Forecasts each seeded bank history from several days, and compares the forecasts with the history.

  --first-seed <n>   first seed (default 1001; tuning used 1 to 60)
  --people <n>       number of histories (default 60)
  --origins <n>      forecasts per history (default 8)
  --source <name>    'people' (default: synthetic people), 'simulator' (the built-in Plaid simulator), or the path of a module
                     that exports a function 'history': (seed) => history
  --each             also print one line per history
  --help             show this text

Exit codes: 0 when the forecast beats both naive forecasts at every horizon and 75 to 85 % of outcomes are in the band, else 1.`

const HORIZONS = [7, 14, 30] as const
const HORIZON_DAYS = 30
const SHORTEST_PAST_DAYS = 60
const COVERAGE_RANGE = [0.75, 0.85] as const

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
function dayBook(history: BankHistory): { balanceCents: Float64Array; outflowCents: Float64Array } {
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
function originIndexes(length: number, count: number): number[] {
  const last = length - 1 - HORIZON_DAYS
  const first = Math.max(SHORTEST_PAST_DAYS, Math.min(last, last - 23 * (count - 1)))
  const step = count > 1 ? Math.max(1, Math.floor((last - first) / (count - 1))) : 1
  const indexes: number[] = []
  for (let index = last; index >= first && indexes.length < count; index -= step) indexes.push(index)
  return indexes
}

export function newResult(): BenchResult {
  const insideByHorizon = new Map(HORIZONS.map((horizon) => [horizon as number, { inside: 0, judged: 0 }]))
  return { outcomes: [], inside: 0, judged: 0, insideByHorizon, confidences: [], slowestMs: 0 }
}

/** Forecasts one history from several of its days and records the outcomes. */
export function judgeHistory(history: BankHistory, origins: number, result: BenchResult): void {
  const { balanceCents, outflowCents } = dayBook(history)
  for (const origin of originIndexes(balanceCents.length, origins)) {
    const asOf = dateOfDay(history.firstDay + origin)
    const currentBalanceCents = balanceCents[origin] ?? 0
    const started = performance.now()
    const forecast = forecastCashFlow({
      transactions: history.transactions,
      currentBalanceCents,
      asOf,
      horizonDays: HORIZON_DAYS
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

const METHODS = [
  ['ours', 'oursCents'],
  ['last balance', 'lastBalanceCents'],
  ['mean daily flow', 'meanFlowCents']
] as const

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)
}

/** Prints the table and returns whether the forecast meets its targets. */
export function report(result: BenchResult, print: (line: string) => void): boolean {
  let kept = true
  print('h    method            MAE $      of monthly outflow')
  for (const horizon of HORIZONS) {
    const outcomes = result.outcomes.filter((outcome) => outcome.horizon === horizon)
    const scores = METHODS.map(([name, field]) => ({
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
  if (coverage < COVERAGE_RANGE[0] || coverage > COVERAGE_RANGE[1]) kept = false
  return kept
}

async function sourceFrom(path: string | undefined): Promise<HistorySource> {
  if (path === undefined || path === 'people') return syntheticPerson
  if (path === 'simulator') return simulatorHistory
  const loaded = (await import(pathToFileURL(path).href)) as { history?: HistorySource }
  if (typeof loaded.history !== 'function') throw new TypeError(`${path} exports no function named history`)
  return loaded.history
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      'first-seed': { type: 'string', default: '1001' },
      people: { type: 'string', default: '60' },
      origins: { type: 'string', default: '8' },
      source: { type: 'string' },
      each: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false }
    }
  })
  if (values.help) return console.log(HELP)
  const source = await sourceFrom(values.source)
  const result = newResult()
  const firstSeed = Number(values['first-seed'])
  const people = Number(values.people)
  for (let seed = firstSeed; seed < firstSeed + people; seed++) {
    const history = await source(seed)
    const before = { count: result.outcomes.length, inside: result.inside, judged: result.judged }
    judgeHistory(history, Number(values.origins), result)
    if (!values.each) continue
    const farthest = result.outcomes.slice(before.count).filter((outcome) => outcome.horizon === HORIZON_DAYS)
    const dollars = METHODS.map(
      ([name, field]) => `${name} ${(mean(farthest.map((outcome) => outcome[field])) / 100).toFixed(0)}`
    )
    const coverage = (result.inside - before.inside) / Math.max(1, result.judged - before.judged)
    const trust = `inside ${(100 * coverage).toFixed(0)} %, confidence ${result.confidences.at(-1)}`
    console.log(`${history.label.padEnd(20)} h=${HORIZON_DAYS}: ${dollars.join(', ')}; ${trust}`)
  }
  console.log(
    `${people} histories, seeds ${firstSeed} to ${firstSeed + people - 1}, ${result.confidences.length} forecasts`
  )
  const kept = report(result, (line) => console.log(line))
  console.log(kept ? 'ok: both naive forecasts beaten at every horizon, band calibrated' : 'FAILED: see the table')
  if (!kept) process.exitCode = 1
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) await main()
