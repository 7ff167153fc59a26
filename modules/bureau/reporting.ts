import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { findAgent } from '../agents/index.ts'
import { notEnrolled } from './errors.ts'
import { combine, effectOf, type ReportType } from './history.ts'
import { addEvent, type NewEvent } from './queries.ts'
import { ageInDays, scoreOf } from './score.ts'

/** What the bureau needs of the server. */
export type Reporting = Pick<FastifyInstance, 'clock' | 'outbox'>

/**
 * Adds an event to an agent's history and tells the agent's owner when it changed the score.
 * @returns the score after it.
 * @throws ProblemError 404 `not_enrolled`.
 */
export const tell = async ({ clock, outbox }: Reporting, trx: Trx, event: NewEvent): Promise<number> => {
  const now = clock.now()
  const enrolment = await addEvent(trx, event, now)
  if (enrolment === undefined) throw notEnrolled(event.agentId)
  const ageDays = ageInDays(enrolment.enrolledAt, now)
  const { score } = scoreOf(enrolment.counters, ageDays)
  const before = scoreOf(combine(enrolment.counters, effectOf(event), -1), ageDays)
  const partnerId = score === before.score ? null : ((await findAgent(trx, event.agentId))?.ownerPartnerId ?? null)
  if (partnerId !== null)
    await outbox.publish(trx, [{ partnerId, type: 'bureau.score_changed', data: { agent_id: event.agentId } }])
  return score
}

/** A report that this server makes itself, such as that a loan of ours was paid back in time. */
export interface OwnReport {
  agentId: string
  reportType: ReportType
  amountCents: number
  notes: string
}

/**
 * Reports to the bureau in the transaction of what is reported.
 * @returns the score after it.
 * @throws ProblemError 404 `not_enrolled`.
 */
export const recordOwnReport = async (
  reporting: Reporting,
  trx: Trx,
  { agentId, reportType, amountCents, notes }: OwnReport
): Promise<number> =>
  await tell(reporting, trx, {
    agentId,
    kind: reportType,
    amountCents,
    accountId: null,
    partnerId: null,
    reporterName: 'AtlasForge',
    reporterPlatform: 'loans',
    notes
  })
