import type { FastifyInstance } from 'fastify'
import type { AgentCaller, PartnerCaller, TokenCaller } from '../../plugins/access/caller.ts'
import { listPartnersOf } from '../../plugins/access/memberships.ts'
import type { Trx } from '../../plugins/database/types.ts'
import type { OwnedAgent } from '../../plugins/events/agent-owners.ts'
import { findAgent } from '../agents/index.ts'
import { furnisherNotEnabled, selfReport } from './errors.ts'
import { combine, noCounters } from './history.ts'
import { excludeAccounts } from './queries/accounts.ts'
import { addToCounters, lockEnrolment } from './queries/enrolments.ts'
import { excludeEvents } from './queries/events.ts'
import { isAppointed, lockForOwner, lockForReport } from './queries/furnishers.ts'
import { publishChange, type Reporting } from './reporting.ts'

/**
 * The partner of a furnisher's credential. In production, operators appoint furnishers, and test credentials cannot report. The specification admits agents only so that
 * they get an explanation.
 * @throws ProblemError 403 `self_report` or `furnisher_not_enabled`
 */
export const requireFurnisher = async (
  { config }: Pick<FastifyInstance, 'config'>,
  trx: Trx,
  caller: AgentCaller | PartnerCaller | TokenCaller
): Promise<string> => {
  if (caller.kind === 'agent_key') throw selfReport('agent')
  const { partnerId, environment } = caller
  if (config.environment !== 'production') return partnerId
  if (!(await isAppointed(trx, partnerId))) throw furnisherNotEnabled('not_appointed')
  if (environment !== 'live') throw furnisherNotEnabled('test_credential')
  return partnerId
}

/** The partners that own an agent: the one under which its owner registered it, and all others of which the owner is a member. */
const ownersOf = async (
  trx: Trx,
  { ownerUserId, ownerPartnerId }: Pick<OwnedAgent, 'ownerUserId' | 'ownerPartnerId'>
): Promise<string[]> => [...new Set([ownerPartnerId, ...(await listPartnersOf(trx, ownerUserId))])]

/**
 * Requires that a partner does not own the agent that it reports on; until the transaction ends, the agent gets no owner.
 * @throws ProblemError 403 `self_report`
 */
export const requireForeignAgent = async (trx: Trx, agentId: string, partnerId: string): Promise<void> => {
  await lockForReport(trx, agentId)
  const { ownerUserId = null, ownerPartnerId = null } = (await findAgent(trx, agentId)) ?? {}
  if (ownerUserId === null || ownerPartnerId === null) return
  if ((await ownersOf(trx, { ownerUserId, ownerPartnerId })).includes(partnerId)) throw selfReport('owner')
}

/**
 * Excludes all that the partners of an agent's new owner have reported on it, and publishes a changed score. For a new agent too, because reports need an enrolment, not an
 * agent.
 */
export const excludeReportsOfOwner = async (app: Reporting, trx: Trx, agent: OwnedAgent): Promise<void> => {
  const { agentId } = agent
  await lockForOwner(trx, agentId)
  if (!(await lockEnrolment(trx, agentId))) return
  const partnerIds = await ownersOf(trx, agent)
  await excludeAccounts(trx, agentId, partnerIds)
  const effect = combine(noCounters, await excludeEvents(trx, agentId, partnerIds), -1)
  const enrolment = await addToCounters(trx, agentId, effect)
  if (enrolment !== undefined) await publishChange(app, trx, enrolment, effect)
}
