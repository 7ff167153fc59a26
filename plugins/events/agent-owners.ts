import fp from 'fastify-plugin'
import type { Trx } from '../database/types.ts'

/** An agent that gets its owner, for good. */
export interface OwnedAgent {
  agentId: string
  ownerUserId: string
  ownerPartnerId: string
}

/** Runs in the transaction that stores the owner, after it is stored; an error undoes both. */
type Reaction = (trx: Trx, agent: OwnedAgent) => Promise<void>

/** Lets domains that know agents react to a new owner, although agents know nothing of them. */
export interface AgentOwners {
  /** Registers a reaction to every agent that gets an owner: a claimed one, or a new one. */
  react(reaction: Reaction): void
  /** Runs all reactions, in the order of their registration. */
  announce(trx: Trx, agent: OwnedAgent): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    agentOwners: AgentOwners
  }
}

const createAgentOwners = (): AgentOwners => {
  const reactions: Reaction[] = []
  return {
    react: (reaction) => void reactions.push(reaction),
    async announce(trx, agent) {
      for (const reaction of reactions) await reaction(trx, agent)
    }
  }
}

export default fp(
  async (app) => {
    app.decorate('agentOwners', createAgentOwners())
  },
  { name: 'agent-owners' }
)
