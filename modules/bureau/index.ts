import type { Db } from '../../plugins/database/types.ts'
import { combine } from './history.ts'
import { findWithDisputed } from './queries/events.ts'
import { ageInDays, scoreOf } from './score.ts'

export { notEnrolled } from './errors.ts'
export type { ReportType } from './history.ts'
export { recordOwnReport, type OwnReport } from './reporting.ts'

/**
 * The agent's score as of `now`, as loans are decided by it; undefined when the agent is not enrolled. Disputed reports count here when they lower the score: otherwise owners
 * could dispute true reports, borrow, and lose the dispute later.
 */
export const readLendingScore = async (db: Db, agentId: string, now: Date): Promise<number | undefined> => {
  const found = await findWithDisputed(db, agentId)
  if (found === undefined) return undefined
  const { enrolledAt, counters, disputed } = found
  const ageDays = ageInDays(enrolledAt, now)
  return Math.min(scoreOf(counters, ageDays).score, scoreOf(combine(counters, disputed), ageDays).score)
}
