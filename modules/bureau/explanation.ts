import { fromCents } from '../../plugins/money.ts'
import { replay } from './history.ts'
import type { RecordedEvent } from './queries/events.ts'
import { ageInDays, scoreOf, scoreVersion, type Counters, type Factors } from './score.ts'
import { exclusionOf } from './states.ts'

const points = (value: number): string =>
  `${value > 0 ? '+' : value < 0 ? '−' : ''}${Number(Math.abs(value).toFixed(2))}`

const termsOf = (factors: Factors): (keyof Factors)[] => Object.keys(factors) as (keyof Factors)[]

const changesOf = (before: Factors, after: Factors): string => {
  const changed = termsOf(after).filter((name) => after[name] !== before[name])
  return changed.length === 0
    ? 'no effect'
    : changed.map((name) => `${name} ${points(after[name] - before[name])}`).join(', ')
}

const describe = (event: RecordedEvent): string => {
  const amount = event.amountCents === null ? '' : ` of ${fromCents(event.amountCents)} credits`
  const account = event.accountId === null ? '' : ` (account ${event.accountId})`
  const notes = event.notes === null || event.notes === '' ? '' : `: ${event.notes}`
  const exclusion = exclusionOf(event.state)
  const excluded = exclusion === null ? '' : ` (excluded: ${exclusion})`
  return `${event.kind}${amount}${account} by ${event.reporterName} on ${event.reporterPlatform}${notes}${excluded}`
}

const isEqual = (a: Counters, b: Counters): boolean =>
  (Object.keys(a) as (keyof Counters)[]).every((name) => a[name] === b[name])

/**
 * Recomputes a score from the agent's history, oldest event first.
 * @returns lines that explain the effect of each event and the terms of the score at `now`; `agrees`: whether the stored counters match the history
 */
export const explain = (
  agent: { agentId: string; enrolledAt: Date; counters: Counters },
  events: readonly RecordedEvent[],
  now: Date
): { lines: string[]; agrees: boolean; score: number } => {
  const { steps, counters } = replay(agent.enrolledAt, events)
  const ageDays = ageInDays(agent.enrolledAt, now)
  const { score, grade, factors } = scoreOf(counters, ageDays)
  const agrees = isEqual(counters, agent.counters)
  const lines = [
    `${agent.agentId}, enrolled at ${agent.enrolledAt.toISOString()} with 500. Formula version ${scoreVersion}.`,
    ...steps.map(
      ({ event, before, after }) =>
        `${event.createdAt.toISOString()}  #${event.id}  ${before.score} → ${after.score}  ${describe(event)}: ${changesOf(before.factors, after.factors)}`
    ),
    `${now.toISOString()}  ${ageDays} days old: ${score} (${grade}) = ${termsOf(factors)
      .map((name, index) => `${name} ${index === 0 ? factors[name] : points(factors[name])}`)
      .join(', ')}; clamped to 300 to 850 and rounded.`,
    agrees
      ? `The stored counters agree with these ${events.length} events.`
      : `THE COUNTERS DIFFER: stored ${JSON.stringify(agent.counters)}, counted ${JSON.stringify(counters)}.`
  ]
  return { lines, agrees, score }
}
