import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { findAgent } from '../agents/index.ts'
import { notEnrolled } from './errors.ts'
import { combine, effectOf, type ReportType } from './history.ts'
import type { Enrolment } from './queries/enrolments.ts'
import { insertEvent, type NewEvent } from './queries/events.ts'
import { ageInDays, scoreOf, type Counters } from './score.ts'

export type Reporting = Pick<FastifyInstance, 'clock' | 'outbox'>

/**
 * Publishes a changed score to the partner of the agent's owner.
 * @param enrolment with the new counters
 * @param effect what was added to them
 * @returns the new score
 */
export const publishChange = async (
  { clock, outbox }: Reporting,
  trx: Trx,
  { agentId, enrolledAt, counters }: Enrolment,
  effect: Counters
): Promise<number> => {
  const ageDays = ageInDays(enrolledAt, clock.now())
  const { score } = scoreOf(counters, ageDays)
  const before = scoreOf(combine(counters, effect, -1), ageDays)
  const partnerId = score === before.score ? null : ((await findAgent(trx, agentId))?.ownerPartnerId ?? null)
  if (partnerId !== null)
    await outbox.publish(trx, [{ partnerId, type: 'bureau.score_changed', data: { agent_id: agentId } }])
  return score
}

/**
 * Adds an event to an agent's history and publishes a changed score to the partner of the agent's owner.
 * @returns the event's id and the new score
 * @throws ProblemError 404 `not_enrolled`
 */
export const recordEvent = async (
  app: Reporting,
  trx: Trx,
  event: NewEvent
): Promise<{ id: number; score: number }> => {
  const inserted = await insertEvent(trx, event, app.clock.now())
  if (inserted === undefined) throw notEnrolled(event.agentId)
  const { id, enrolment } = inserted
  return { id, score: await publishChange(app, trx, enrolment, effectOf(event)) }
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
): Promise<number> => {
  const { score } = await recordEvent(reporting, trx, {
    agentId,
    kind: reportType,
    amountCents,
    accountId: null,
    partnerId: null,
    reporterName: 'AtlasForge',
    reporterPlatform: 'loans',
    notes
  })
  return score
}
