import type { CheckResult } from '../../plugins/database/daily-check.ts'
import { readAtLeisure } from '../../plugins/database/time-limit.ts'
import type { Db } from '../../plugins/database/types.ts'
import { findMiscounted } from './queries/recount.ts'

/** Compares every agent's counters with a full recount. */
export const checkCounters = async (db: Db): Promise<CheckResult> => {
  const miscounted = await readAtLeisure(db, findMiscounted)
  return miscounted.length === 0
    ? { status: 'ok', detail: 'Every counter equals a full recount.' }
    : { status: 'failed', detail: `The counters differ from a full recount for: ${miscounted.join(', ')}.` }
}
