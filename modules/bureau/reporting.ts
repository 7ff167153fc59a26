import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { findAgent } from '../agents/index.ts'
import { notEnrolled } from './errors.ts'
import { combine, effectOf, type ReportType } from './history.ts'
import { insertEvent, type NewEvent } from './queries.ts'
import { ageInDays, scoreOf } from './score.ts'

export type Reporting = Pick<FastifyInstance, 'clock' | 'outbox'>

/**
 * Adds an event to an agent's history and publishes a changed score to the partner of the agent's owner.
 * @returns the new score
 * @throws ProblemError 404 `not_enrolled`
 */
export const recordEvent = async ({ clock, outbox }: Reporting, trx: Trx, event: NewEvent): Promise<number> => {
  const now = clock.now()
  const enrolment = await insertEvent(trx, event, now)
  if (enrolment === undefined) throw notEnrolled(event.agentId)
  const ageDays = ageInDays(enrolment.enrolledAt, now)
  const { score } = scoreOf(enrolment.counters, ageDays)
  const before = scoreOf(combine(enrolment.counters, effectOf(event), -1), ageDays)
  const partnerId = score === before.score ? null : ((await findAgent(trx, event.agentId))?.ownerPartnerId ?? null)
  if (partnerId !== null)
    await outbox.publish(trx, [{ partnerId, type: 'bureau.score_changed', data: { agent_id: event.agentId } }])
  return score
}

/** A report by this server itself, such as a loan repaid on time. */
export interface OwnReport {
  agentId: string
  reportType: ReportType
  amountCents: number
  notes: string
}

/**
 * Reports to the bureau, in the transaction of the reported change.
 * @returns the new score
 * @throws ProblemError 404 `not_enrolled`
 */
export const recordOwnReport = async (
  reporting: Reporting,
  trx: Trx,
  { agentId, reportType, amountCents, notes }: OwnReport
): Promise<number> =>
  await recordEvent(reporting, trx, {
    agentId,
    kind: reportType,
    amountCents,
    accountId: null,
    partnerId: null,
    reporterName: 'AtlasForge',
    reporterPlatform: 'loans',
    notes
  })
