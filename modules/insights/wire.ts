import { fromMinorUnits } from '../../plugins/money.ts'
import type { EndUserAccuracy } from './accuracy-reader.ts'
import type { ServedForecast } from './subject.ts'

/** @param id of the kept forecast; null when it is not kept. */
export const toForecast = ({ endUser, forecast }: ServedForecast, id: string | null) => {
  const { userId, timeZone, position, isSyncIncomplete } = endUser
  const money = (cents: number): number => fromMinorUnits(cents, position.currency)
  return {
    user_id: userId,
    as_of: position.asOf.toISOString(),
    stale: position.stale || isSyncIncomplete,
    iso_currency_code: position.currency,
    current_balance: money(forecast.currentBalanceCents),
    timezone: timeZone,
    forecast_id: id,
    horizon_days: forecast.horizonDays,
    projected_min_balance: money(forecast.projectedMinBalanceCents),
    projected_min_date: forecast.projectedMinDate,
    confidence: forecast.confidence,
    assumptions: forecast.assumptions,
    alerts: forecast.alerts.map(({ type, date, amountCents, description, evidence, assumptions }) => ({
      type,
      date,
      ...(amountCents === undefined ? {} : { amount: money(amountCents) }),
      ...(description === undefined ? {} : { description }),
      evidence,
      assumptions
    })),
    daily: forecast.daily.map(({ date, projectedBalanceCents, lowCents, highCents }) => ({
      date,
      projected_balance: money(projectedBalanceCents),
      low: money(lowCents),
      high: money(highCents)
    })),
    recurring: forecast.recurring.map((stream) => ({
      description: stream.description,
      cadence: stream.cadence,
      interval: stream.interval,
      amount: money(stream.amountCents),
      next_date: stream.nextDate,
      days_late: stream.lateDays,
      direction: stream.direction,
      evidence: stream.transactionIds,
      assumptions: stream.assumptions
    })),
    shortfalls: forecast.shortfalls.map(({ date, amountCents }) => ({ date, amount: money(amountCents) }))
  }
}

export const toAccuracy = ({ userId, currency, forecasts, firstDate, accuracy, outcomes }: EndUserAccuracy) => {
  const money = (cents: number): number => fromMinorUnits(cents, currency)
  const moneyOrNull = (cents: number | null): number | null => (cents === null ? null : money(cents))
  return {
    user_id: userId,
    iso_currency_code: currency,
    forecasts,
    first_date: firstDate,
    accuracy: accuracy.map((ahead) => ({
      days_ahead: ahead.daysAhead,
      forecasts: ahead.forecasts,
      error: moneyOrNull(ahead.errorCents),
      last_balance_error: moneyOrNull(ahead.lastBalanceErrorCents),
      mean_daily_flow_error: moneyOrNull(ahead.meanDailyFlowErrorCents),
      coverage: ahead.coverage
    })),
    outcomes: outcomes.map((outcome) => ({
      forecast_id: outcome.forecastId,
      forecast_date: outcome.forecastDate,
      date: outcome.date,
      days_ahead: outcome.daysAhead,
      projected_balance: money(outcome.projectedCents),
      low: money(outcome.lowCents),
      high: money(outcome.highCents),
      actual_balance: money(outcome.actualCents)
    }))
  }
}
