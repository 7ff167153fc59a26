import { invalidFields } from '../../plugins/http/errors/kinds.ts'
import { decimalsOf, fromMinorUnits, toMinorUnits } from '../../plugins/money.ts'
import { invalidPlannedItem } from './errors.ts'
import { consequencesOf, type CashFlowForecast } from './forecast.ts'

/** A planned payment; positive when money leaves the account, like the amounts of transactions. */
export interface PlannedItem {
  /** YYYY-MM-DD, a day of the forecast. */
  date: string
  amountCents: number
  description: string
}

/** How many planned items each alert names; a response has hundreds of alerts at most. */
const mostNamed = 3

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
  const plans = items.map(({ date, description }) => `Planned on ${date}: ${description}.`)
  const inAlerts = [...forecast.assumptions, ...plans.slice(0, mostNamed)]
  return {
    ...forecast,
    daily,
    assumptions: [...forecast.assumptions, ...plans],
    ...consequencesOf({ ...forecast, daily, assumptions: inAlerts })
  }
}

interface WirePlannedItem {
  amount: number
  date: string
  description: string
}

/**
 * Reads planned items from a request.
 * @throws ProblemError 422 `invalid_planned_item` for a date that is not in the forecast and for an amount of zero; 400 `validation_failed` for an
 *   amount with more decimals than the currency has.
 */
export const readPlan = (
  items: readonly WirePlannedItem[],
  currency: string,
  daily: readonly { date: string }[]
): PlannedItem[] => {
  const [first = '', last = ''] = [daily[0]?.date, daily.at(-1)?.date]
  return items.map(({ amount, date, description }, index) => {
    if (date < first || date > last) throw invalidPlannedItem(`what_if/${index}/date`, `from ${first} to ${last}`)
    const amountCents = toMinorUnits(amount, currency)
    if (fromMinorUnits(amountCents, currency) !== amount)
      throw invalidFields([
        {
          path: `body/what_if/${index}/amount`,
          message: `has more decimals than the ${decimalsOf(currency)} of ${currency}`
        }
      ])
    if (amountCents === 0 || !Number.isSafeInteger(amountCents))
      throw invalidPlannedItem(`what_if/${index}/amount`, `at least the smallest unit of ${currency}`)
    return { amountCents, date, description }
  })
}
