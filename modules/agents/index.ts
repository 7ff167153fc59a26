import type { Db, Trx } from '../../plugins/database/types.ts'
import * as queries from './queries/agents.ts'

export { agentPaused, insufficientBalance } from './errors.ts'

/** What other domains may know of an agent. `app.ledger.post` moves its wallet, with the agent's id as `walletId`. */
export type KnownAgent = Pick<queries.Agent, 'agentId' | 'name' | 'status' | 'ownerPartnerId' | 'ownerUserId'>

export const findAgent: (db: Db, agentId: string) => Promise<KnownAgent | undefined> = queries.findAgent

/** Locks the agent: until the transaction ends it can neither spend nor change its status. Take this lock before your own and the ledger's. */
export const lockAgent: (trx: Trx, agentId: string) => Promise<KnownAgent | undefined> = queries.lockAgent
