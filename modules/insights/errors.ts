import { defineProblem } from '../../plugins/http/errors/problem.ts'

export const insufficientHistory = defineProblem({
  status: 422,
  code: 'insufficient_history',
  meaning: 'The end-user’s spendable accounts in this currency have too few days of transactions for a forecast.',
  cure: '`days` is the number of days available, `required` the number needed. Call GET /v1/transactions to fetch transactions from the bank, or wait for more.',
  describe: (days: number, required: number) => ({
    detail: `A forecast needs ${required} days of transactions on spendable accounts of the currency; there are ${days}.`,
    members: { days, required }
  })
})

export const tooManyForecasts = defineProblem({
  status: 429,
  code: 'too_many_forecasts',
  meaning: 'Too many forecasts of the partner are being computed or wait for that.',
  cure: 'Wait `Retry-After` seconds, then retry. Request forecasts one after another, a few at a time.',
  describe: () => ({
    detail: 'Too many forecasts of this partner are being computed. Retry in 1 second.',
    headers: { 'retry-after': '1' }
  })
})

export const invalidPlannedItem = defineProblem({
  status: 422,
  code: 'invalid_planned_item',
  meaning:
    'A planned item cannot be part of the forecast: its date is today or earlier, or beyond the horizon, or its amount is zero.',
  cure: '`path` names the field, and `detail` the values that it may have. Correct it, or request a longer horizon.',
  describe: (path: string, allowed: string) => ({
    detail: `The field ${path} must be ${allowed}.`,
    members: { path: `body/${path}` }
  })
})
