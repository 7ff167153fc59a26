import type { Db } from '../../plugins/database/types.ts'
import { combine } from './history.ts'
import { findEnrolment } from './queries/enrolments.ts'
import { sumDisputed } from './queries/events.ts'
import { ageInDays, scoreOf } from './score.ts'

export { notEnrolled } from './errors.ts'
export type { ReportType } from './history.ts'
export { recordOwnReport, type OwnReport } from './reporting.ts'

/**
 * The agent's score as of `now`, as loans are decided by it; undefined when the agent is not enrolled. Disputed reports count here when they lower the score: otherwise owners
 * could dispute true reports, borrow, and lose the dispute later.
 */
export const readLendingScore = async (db: Db, agentId: string, now: Date): Promise<number | undefined> => {
  const enrolment = await findEnrolment(db, agentId)
  if (enrolment === undefined) return undefined
  const { counters, enrolledAt } = enrolment
  const ageDays = ageInDays(enrolledAt, now)
  const ifConfirmed = combine(counters, await sumDisputed(db, agentId))
  return Math.min(scoreOf(counters, ageDays).score, scoreOf(ifConfirmed, ageDays).score)
}
