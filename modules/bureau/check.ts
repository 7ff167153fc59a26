import { readAtLeisure } from '../../plugins/database/time-limit.ts'
import type { Db } from '../../plugins/database/types.ts'
import { findMiscounted, lastCheckAt, storeCheck } from './queries.ts'

const checkName = 'bureau'
const checkEveryMs = 86_400_000

/** Once a day proves that every agent's counters equal a full recount, and keeps the result where health reads it. */
export const checkCounters = async (db: Db, now: Date): Promise<void> => {
  const last = await lastCheckAt(db, checkName)
  if (last !== undefined && now.getTime() - last.getTime() < checkEveryMs) return
  const miscounted = await readAtLeisure(db, findMiscounted)
  const status = miscounted.length === 0 ? 'ok' : 'failed'
  const detail =
    status === 'ok'
      ? 'Every counter equals a full recount.'
      : `The counters are not what the history gives for: ${miscounted.join(', ')}.`
  await storeCheck(db, checkName, { status, detail, at: now })
}
