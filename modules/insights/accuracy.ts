import type { PresentTransaction } from '../linking/index.ts'
import { dateOfDay, dayOfDate } from './civil-date.ts'

/** Days after a forecast at which it is judged. */
export const judgedDaysAhead = [1, 7, 14, 30] as const
const mostOutcomes = 50
/** Transactions that a bank reports so many days late are no surprise to a balance; older ones are a history that arrives later. */
export const countedDays = 10

/** The most of these transactions that are kept with a forecast. One that has more has no outcome. */
export const mostCounted = 500

/** A forecast that was served, at the days ahead that are judged. */
export interface KeptForecast {
  id: string
  /** YYYY-MM-DD, the day on which it was served. */
  day: string
  accountIds: string[]
  balanceCents: number
  meanDailyFlowCents: number
  /** Transactions that the balance contained, of the last days before the forecast and after it. */
  countedIds: string[]
  points: { daysAhead: number; projectedCents: number; lowCents: number; highCents: number }[]
}

export interface Outcome {
  forecastId: string
  forecastDate: string
  date: string
  daysAhead: number
  projectedCents: number
  lowCents: number
  highCents: number
  actualCents: number
}

export interface AccuracyAhead {
  daysAhead: number
  forecasts: number
  /** Mean absolute errors; null without an outcome. */
  errorCents: number | null
  lastBalanceErrorCents: number | null
  meanDailyFlowErrorCents: number | null
  coverage: number | null
}

export interface Accuracy {
  accuracy: AccuracyAhead[]
  /** The newest first. */
  outcomes: Outcome[]
}

interface Judged extends Outcome {
  errorCents: number
  lastBalanceErrorCents: number
  meanDailyFlowErrorCents: number
}

/**
 * The change of a forecast's balance until a day: the transactions on its accounts that the balance did not contain. A booked
 * transaction whose pending one it contained changes it only by the difference, which is taken as none.
 */
const changeUntil = (
  forecast: KeptForecast,
  counted: ReadonlySet<string>,
  rows: readonly PresentTransaction[],
  until: string
): number => {
  const from = dateOfDay(dayOfDate(forecast.day) - countedDays)
  let change = 0
  for (const { id, accountId, amountCents, date, pendingTransactionId } of rows) {
    if (date < from || date > until || !forecast.accountIds.includes(accountId)) continue
    if (counted.has(id) || (pendingTransactionId !== null && counted.has(pendingTransactionId))) continue
    change -= amountCents
  }
  return change
}

const judge = (forecast: KeptForecast, rows: readonly PresentTransaction[], today: string): Judged[] => {
  const counted = new Set(forecast.countedIds)
  return forecast.points.flatMap(({ daysAhead, ...band }) => {
    const date = dateOfDay(dayOfDate(forecast.day) + daysAhead)
    // The day must be over.
    if (date >= today) return []
    const change = changeUntil(forecast, counted, rows, date)
    const actualCents = forecast.balanceCents + change
    return [
      {
        forecastId: forecast.id,
        forecastDate: forecast.day,
        date,
        daysAhead,
        ...band,
        actualCents,
        errorCents: Math.abs(actualCents - band.projectedCents),
        lastBalanceErrorCents: Math.abs(change),
        meanDailyFlowErrorCents: Math.abs(change - forecast.meanDailyFlowCents * daysAhead)
      }
    ]
  })
}

const meanOf = (judged: readonly Judged[], pick: (one: Judged) => number): number | null =>
  judged.length === 0 ? null : Math.round(judged.reduce((sum, one) => sum + pick(one), 0) / judged.length)

/**
 * Compares past forecasts with what happened.
 * @param rows all present transactions on the accounts, from ten days before the oldest forecast on.
 * @param today YYYY-MM-DD; only days before it have an outcome.
 */
export const judgeForecasts = (
  forecasts: readonly KeptForecast[],
  rows: readonly PresentTransaction[],
  today: string
): Accuracy => {
  const judged = forecasts
    .filter(({ countedIds }) => countedIds.length < mostCounted)
    .flatMap((forecast) => judge(forecast, rows, today))
  const accuracy = judgedDaysAhead.map((daysAhead): AccuracyAhead => {
    const ahead = judged.filter((one) => one.daysAhead === daysAhead)
    const inside = ahead.filter(
      ({ actualCents, lowCents, highCents }) => actualCents >= lowCents && actualCents <= highCents
    )
    return {
      daysAhead,
      forecasts: ahead.length,
      errorCents: meanOf(ahead, ({ errorCents }) => errorCents),
      lastBalanceErrorCents: meanOf(ahead, ({ lastBalanceErrorCents }) => lastBalanceErrorCents),
      meanDailyFlowErrorCents: meanOf(ahead, ({ meanDailyFlowErrorCents }) => meanDailyFlowErrorCents),
      coverage: ahead.length === 0 ? null : Math.round((inside.length / ahead.length) * 1000) / 1000
    }
  })
  const outcomes = judged
    .sort((a, b) => (a.date === b.date ? (a.forecastDate < b.forecastDate ? 1 : -1) : a.date < b.date ? 1 : -1))
    .slice(0, mostOutcomes)
    .map(({ errorCents: _e, lastBalanceErrorCents: _l, meanDailyFlowErrorCents: _m, ...outcome }) => outcome)
  return { accuracy, outcomes }
}
