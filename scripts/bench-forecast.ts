/**
 * Measures the cash-flow forecast on histories that were not used for tuning: the error of the balance 7, 14 and 30 days ahead, compared with two naive
 * forecasts and two published methods, and the coverage of the 80 % band. Exits with 1 unless it beats them all and the coverage is between 75 and 85 %.
 */
import { pathToFileURL } from 'node:url'
import { runWithArguments } from './command.ts'
import { announce, timeLeft } from './progress.ts'
import { horizonDays, judgeHistory, methodNames, newResult } from './forecast-bench/accuracy.ts'
import { syntheticPerson, type HistorySource } from './forecast-bench/people.ts'
import { mean, report } from './forecast-bench/report.ts'
import { simulatorHistory, unrulySimulatorHistory } from './forecast-bench/simulator-histories.ts'
import { abroadPerson, unrulyPerson } from './forecast-bench/unruly.ts'

const help = `Usage: npm run bench:forecast -- [options]

Forecasts each seeded bank history from several days, and compares the forecasts with the history.

  --first-seed <n>   first seed (default 1001; tuning used 1 to 60)
  --people <n>       number of histories (default 60)
  --origins <n>      forecasts per history (default 8)
  --source <name>    'people' (default: synthetic people), 'unruly' (awkward rhythms and banks), 'abroad' (the same in German and
                     Spanish), 'simulator' (the built-in Plaid simulator), 'unruly-simulator' (its unruly banks), or
                     the path of a module that exports a function 'history': (seed) => history
  --each             also print one line per history
  --help             show this text

Exit codes: 0 when the forecast beats every other method at every horizon and 75 to 85 % of outcomes are in the band, else 1.`

const sources = new Map<string, HistorySource>([
  ['people', syntheticPerson],
  ['unruly', unrulyPerson],
  ['abroad', abroadPerson],
  ['simulator', simulatorHistory],
  ['unruly-simulator', unrulySimulatorHistory]
])

const sourceFrom = async (path: string | undefined): Promise<HistorySource> => {
  const known = sources.get(path ?? 'people')
  if (path === undefined || known !== undefined) return known ?? syntheticPerson
  const loaded = (await import(pathToFileURL(path).href)) as { history?: HistorySource }
  if (typeof loaded.history !== 'function') throw new TypeError(`${path} exports no function named history`)
  return loaded.history
}

const peoplePerLine = 10

const options = {
  'first-seed': { type: 'string', default: '1001' },
  people: { type: 'string', default: '60' },
  origins: { type: 'string', default: '8' },
  source: { type: 'string' },
  each: { type: 'boolean' }
} as const

runWithArguments({ help, options }, async (values) => {
  const source = await sourceFrom(values.source)
  const result = newResult()
  const firstSeed = Number(values['first-seed'])
  const people = Number(values.people)
  const begun = performance.now()
  for (let seed = firstSeed; seed < firstSeed + people; seed++) {
    const done = seed - firstSeed
    if (done % peoplePerLine === 0)
      announce(`Forecasting history ${done + 1} of ${people}${timeLeft(done, people, performance.now() - begun)}`)
    const history = await source(seed)
    const before = { count: result.outcomes.length, inside: result.inside, judged: result.judged }
    judgeHistory(history, Number(values.origins), result)
    if (values.each !== true) continue
    const farthest = result.outcomes.slice(before.count).filter((outcome) => outcome.horizon === horizonDays)
    const dollars = methodNames.map(
      (name, index) => `${name} ${(mean(farthest.map(({ errorsCents }) => errorsCents[index] ?? 0)) / 100).toFixed(0)}`
    )
    const coverage = (result.inside - before.inside) / Math.max(1, result.judged - before.judged)
    const trust = `inside ${(100 * coverage).toFixed(0)} %, confidence ${result.confidences.at(-1)}`
    console.log(`${history.label.padEnd(20)} h=${horizonDays}: ${dollars.join(', ')}; ${trust}`)
  }
  console.log(
    `${people} histories, seeds ${firstSeed} to ${firstSeed + people - 1}, ${result.confidences.length} forecasts`
  )
  const kept = report(result, (line) => console.log(line))
  console.log(kept ? 'ok: every other method beaten at every horizon, band calibrated' : 'FAILED: see the table')
  return kept ? 0 : 1
})
