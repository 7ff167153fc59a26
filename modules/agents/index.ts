import type { Db, Trx } from '../../plugins/database/types.ts'
import * as queries from './queries/agents.ts'
import type { AgentStatus } from './tables.ts'

export { agentPaused, holdsTooLittle } from './errors.ts'

/** What other domains may know of an agent. Its wallet is moved by `app.ledger.post`, with the agent's id as `walletId`. */
export interface KnownAgent {
  agentId: string
  name: string
  status: AgentStatus
  /** Where events about the agent go; null without an owner. */
  ownerPartnerId: string | null
  ownerUserId: string | null
}

const known = (row: queries.AgentRow | undefined): KnownAgent | undefined =>
  row === undefined
    ? undefined
    : {
        agentId: row.agent_id,
        name: row.name,
        status: row.status,
        ownerPartnerId: row.owner_partner_id,
        ownerUserId: row.owner_user_id
      }

/** The agent; undefined when there is none with this id. */
export const findAgent = async (db: Db, agentId: string): Promise<KnownAgent | undefined> =>
  known(await queries.findAgent(db, agentId))

/** The same, locked: until the transaction ends it neither spends nor changes its state. Take this lock before any of your own and before the ledger's. */
export const lockAgent = async (trx: Trx, agentId: string): Promise<KnownAgent | undefined> =>
  known(await queries.lockAgent(trx, agentId))
