import { dayMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

const initialAfterMs = 60_000
const historicalAfterMs = 10 * 60_000
const initialDays = 30

/** Plaid has nothing for a minute, the last 30 days for ten, and then the rest. */
export const slowHistory: Behaviour = {
  name: 'slow history',
  visibleFrom: ({ authorizedAt }, linkedAt) =>
    linkedAt + (authorizedAt >= linkedAt - initialDays * dayMs ? initialAfterMs : historicalAfterMs),
  updateStatus: ({ linkedAt, now }) =>
    now < linkedAt + initialAfterMs
      ? 'NOT_READY'
      : now < linkedAt + historicalAfterMs
        ? 'INITIAL_UPDATE_COMPLETE'
        : 'HISTORICAL_UPDATE_COMPLETE'
}
