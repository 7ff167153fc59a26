import { dayMs } from '../history/days.ts'
import type { Behaviour } from './behaviour.ts'

const epochMs = 2 * dayMs

/** Every two days, Plaid accepts no cursor from before, as after a repair of an item. */
export const refusedCursors: Behaviour = {
  name: 'refused cursors',
  refusesCursor: (from, { linkedAt, now }) =>
    Math.floor((from - linkedAt) / epochMs) < Math.floor((now - linkedAt) / epochMs) - 1
}
