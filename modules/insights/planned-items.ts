import { consequencesOf, type CashFlowForecast } from './forecast.ts'

/** A planned payment; positive when money leaves the account, like the amounts of transactions. */
export interface PlannedItem {
  /** YYYY-MM-DD, a day of the forecast. */
  date: string
  amountCents: number
  description: string
}

/** The forecast with planned items added: balances and bands from their dates on, and the alerts that follow. */
export const withPlannedItems = (forecast: CashFlowForecast, items: readonly PlannedItem[]): CashFlowForecast => {
  const plannedByDate = new Map<string, number>()
  for (const { date, amountCents } of items) plannedByDate.set(date, (plannedByDate.get(date) ?? 0) + amountCents)
  let planned = 0
  const daily = forecast.daily.map((day) => {
    planned += plannedByDate.get(day.date) ?? 0
    return {
      date: day.date,
      projectedBalanceCents: day.projectedBalanceCents - planned,
      lowCents: day.lowCents - planned,
      highCents: day.highCents - planned
    }
  })
  const assumptions = [
    ...forecast.assumptions,
    ...items.map(({ date, description }) => `Planned on ${date}: ${description}.`)
  ]
  return { ...forecast, daily, assumptions, ...consequencesOf({ ...forecast, daily, assumptions }) }
}
