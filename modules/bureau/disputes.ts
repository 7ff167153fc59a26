import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { findAgent } from '../agents/index.ts'
import { notDisputable, notDisputed, notEnrolled, reportNotFound } from './errors.ts'
import { combine, effectOf, noCounters } from './history.ts'
import { addToCounters, lockEnrolment } from './queries/enrolments.ts'
import { dropDisputed, findReport, lockReport, updateReport, type StoredReport } from './queries/events.ts'
import { publishChange, type Reporting } from './reporting.ts'
import { confirmBy, confirmWithinMs } from './states.ts'

/** Adds a report's effect to the counters or takes it away. @returns the new score */
const countReport = async (app: Reporting, trx: Trx, report: StoredReport, sign: 1 | -1): Promise<number> => {
  const effect = combine(noCounters, effectOf(report), sign)
  const enrolment = await addToCounters(trx, report.agentId, effect)
  if (enrolment === undefined) throw notEnrolled(report.agentId)
  return await publishChange(app, trx, enrolment, effect)
}

/** Locks a report together with the counters that it may change. */
const lockWithCounters = async (trx: Trx, { id, agentId }: StoredReport): Promise<StoredReport> => {
  await lockEnrolment(trx, agentId)
  return await lockReport(trx, id)
}

/**
 * Excludes a report that the agent's owner disputes, until its furnisher confirms it, and publishes the dispute to the furnisher.
 * @throws ProblemError 404 `not_found` unless the user owns the agent; 409 `not_disputable`
 */
export const disputeReport = async (
  app: Reporting,
  trx: Trx,
  { id, userId, reason }: { id: number; userId: string; reason: string }
): Promise<{ agentId: string; confirmBy: Date; score: number }> => {
  const found = await findReport(trx, id)
  const agent = found === undefined ? undefined : await findAgent(trx, found.agentId)
  if (found === undefined || agent?.ownerUserId !== userId) throw reportNotFound(id)
  const report = await lockWithCounters(trx, found)
  if (report.partnerId === null) throw notDisputable(id, 'own_loan')
  if (report.state !== 'counted') throw notDisputable(id, report.state)
  const disputedAt = app.clock.now()
  await updateReport(trx, id, { state: 'disputed', disputedAt, disputeReason: reason })
  const { agentId, partnerId } = report
  const until = confirmBy(disputedAt)
  const data = { agent_id: agentId, report_id: id, reason, confirm_by: until.toISOString() }
  await app.outbox.publish(trx, [{ partnerId, type: 'bureau.report_disputed', data }])
  return { agentId, confirmBy: until, score: await countReport(app, trx, report, -1) }
}

/**
 * Counts a disputed report again, for its furnisher.
 * @throws ProblemError 404 `not_found` unless the partner reported it; 409 `not_disputed`
 */
export const confirmReport = async (
  app: Reporting,
  trx: Trx,
  { id, partnerId }: { id: number; partnerId: string }
): Promise<{ agentId: string; score: number }> => {
  const found = await findReport(trx, id)
  if (found?.partnerId !== partnerId) throw reportNotFound(id)
  const report = await lockWithCounters(trx, found)
  const { state, disputedAt } = report
  if (state !== 'disputed' || disputedAt === null) throw notDisputed(id, state)
  // Too late also when the job has not come by yet.
  if (confirmBy(disputedAt) <= app.clock.now()) throw notDisputed(id, 'dropped')
  await updateReport(trx, id, { state: 'confirmed' })
  return { agentId: report.agentId, score: await countReport(app, trx, report, 1) }
}

/** Drops disputed reports that no furnisher confirmed within 30 days. They do not count already, so no score changes. */
export const dropUnconfirmed = async ({
  clock,
  database
}: Pick<FastifyInstance, 'clock' | 'database'>): Promise<void> => {
  const before = new Date(clock.now().getTime() - confirmWithinMs)
  while ((await dropDisputed(database.db, before)) > 0);
}
