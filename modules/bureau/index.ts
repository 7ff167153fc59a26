import type { Db } from '../../plugins/database/types.ts'
import { findEnrolment } from './queries/enrolments.ts'
import { ageInDays, scoreOf } from './score.ts'

export { notEnrolled } from './errors.ts'
export type { ReportType } from './history.ts'
export { recordOwnReport, type OwnReport } from './reporting.ts'

/** The agent's score as of `now`; undefined when the agent is not enrolled. */
export const readScore = async (db: Db, agentId: string, now: Date): Promise<number | undefined> => {
  const enrolment = await findEnrolment(db, agentId)
  return enrolment === undefined ? undefined : scoreOf(enrolment.counters, ageInDays(enrolment.enrolledAt, now)).score
}
