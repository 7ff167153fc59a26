import { fromCents } from '../../plugins/money.ts'
import type { CashFlowForecast } from './forecast.ts'

export const toForecast = (forecast: CashFlowForecast) => ({
  horizon_days: forecast.horizonDays,
  projected_min_balance: fromCents(forecast.projectedMinBalanceCents),
  projected_min_date: forecast.projectedMinDate,
  confidence: forecast.confidence,
  alerts: forecast.alerts.map(({ type, date, amountCents, description }) => ({
    type,
    date,
    ...(amountCents === undefined ? {} : { amount: fromCents(amountCents) }),
    ...(description === undefined ? {} : { description })
  })),
  daily: forecast.daily.map(({ date, projectedBalanceCents, lowCents, highCents }) => ({
    date,
    projected_balance: fromCents(projectedBalanceCents),
    low: fromCents(lowCents),
    high: fromCents(highCents)
  })),
  recurring: forecast.recurring.map(({ description, cadence, amountCents, nextDate, direction }) => ({
    description,
    cadence,
    amount: fromCents(amountCents),
    next_date: nextDate,
    direction
  })),
  shortfalls: forecast.shortfalls.map(({ date, amountCents }) => ({ date, amount: fromCents(amountCents) }))
})
