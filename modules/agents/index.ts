import type { Db, Trx } from '../../plugins/database/types.ts'
import type { SessionCaller } from '../../plugins/access/caller.ts'
import * as ownership from './ownership.ts'
import * as queries from './queries/agents.ts'

export { agentPaused, insufficientBalance, notOwner } from './errors.ts'
export { requireFreeBalance } from './transfers.ts'

/** What other domains may know of an agent. `app.ledger.post` moves its wallet, with the agent's id as `walletId`. */
export type KnownAgent = Pick<
  queries.Agent,
  'agentId' | 'name' | 'status' | 'ownerPartnerId' | 'ownerUserId' | 'owedCents'
>

export const findAgent: (db: Db, agentId: string) => Promise<KnownAgent | undefined> = queries.findAgent

/** An agent of the signed-in user. @throws ProblemError 404 `agent_not_found`, 403 `not_owner` */
export const findOwnAgent: (db: Db, agentId: string, owner: Pick<SessionCaller, 'userId'>) => Promise<KnownAgent> =
  ownership.findOwnAgent

/** Locks the agent: until the transaction ends it can neither spend nor change its status. Take this lock before your own and the ledger's. */
export const lockAgent: (trx: Trx, agentId: string) => Promise<KnownAgent | undefined> = queries.lockAgent
