import { horizons, methodNames, type BenchResult } from './accuracy.ts'

const coverageRange = [0.75, 0.85] as const

export const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

const cells = (result: BenchResult, horizon: number) => {
  const outcomes = result.outcomes.filter((outcome) => outcome.horizon === horizon)
  return methodNames.map((name, index) => ({
    name,
    dollars: mean(outcomes.map(({ errorsCents }) => errorsCents[index] ?? 0)) / 100,
    relative: mean(
      outcomes.map(
        ({ errorsCents, monthlyOutflowCents }) => (errorsCents[index] ?? 0) / Math.max(1, monthlyOutflowCents)
      )
    )
  }))
}

/** Prints the table and returns whether the forecast meets its targets. */
export const report = (result: BenchResult, print: (line: string) => void): boolean => {
  let kept = true
  print('h    method            MAE $      of monthly outflow')
  for (const horizon of horizons) {
    const [ours, ...others] = cells(result, horizon)
    for (const { name, dollars, relative } of cells(result, horizon)) {
      const percent = (relative * 100).toFixed(1).padStart(6)
      print(`${String(horizon).padEnd(4)} ${name.padEnd(16)} ${dollars.toFixed(2).padStart(8)}   ${percent} %`)
    }
    const lost = others.filter((other) => !ours || other.dollars <= ours.dollars || other.relative <= ours.relative)
    for (const { name } of lost) print(`LOST against ${name} at ${horizon} days`)
    if (lost.length > 0) kept = false
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
