import type { Handlers } from '../../plugins/operations/handlers.ts'
import type { operations } from '../../spec/generated/insights.ts'
import type { LinkingDependencies } from '../linking/index.ts'
import { readAccuracy } from './accuracy-reader.ts'
import type { Forecasts } from './forecasts.ts'
import { keep } from './kept-forecast.ts'
import { readPlan, withPlannedItems } from './planned-items.ts'
import { saveTimeZone } from './queries.ts'
import { computeForecast } from './subject.ts'
import { toAccuracy, toForecast } from './wire.ts'

export const handlers = (app: LinkingDependencies, forecasts: Forecasts): Handlers<typeof operations> => ({
  async getCashflowForecast({ db, query, caller }) {
    const served = await computeForecast(app, db, caller, forecasts, query, 'query')
    const { partnerId, environment } = caller
    const { userId, timeZone } = served.endUser
    if (query.timezone !== undefined) await saveTimeZone(db, { partnerId, environment, userId }, timeZone)
    return toForecast(served, await keep(db, caller, served, app.clock.now()))
  },

  async planCashflow({ db, body, caller }) {
    const served = await computeForecast(app, db, caller, forecasts, body, 'body')
    const items = readPlan(body.what_if, served.endUser.position.currency, served.forecast.daily)
    return toForecast({ ...served, forecast: withPlannedItems(served.forecast, items) }, null)
  },

  async getForecastAccuracy({ db, query, caller }) {
    return toAccuracy(await readAccuracy(app, db, caller, forecasts, query))
  }
})
