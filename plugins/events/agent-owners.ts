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

/** The domains that react, in the order in which every transaction locks their rows; another order could deadlock. */
const lockOrder = ['loans', 'bureau'] as const

type Domain = (typeof lockOrder)[number]

/** Lets domains that know agents react to a new owner, although agents know nothing of them. */
export interface AgentOwners {
  /** Sets the reaction of a domain to every agent that gets an owner: a claimed one, or a new one. */
  react(domain: Domain, reaction: Reaction): void
  /** Runs all reactions, in the lock order of their domains. */
  announce(trx: Trx, agent: OwnedAgent): Promise<void>
}

declare module 'fastify' {
  interface FastifyInstance {
    agentOwners: AgentOwners
  }
}

const createAgentOwners = (): AgentOwners => {
  const reactions = new Map<Domain, Reaction>()
  return {
    react: (domain, reaction) => void reactions.set(domain, reaction),
    async announce(trx, agent) {
      for (const domain of lockOrder) await reactions.get(domain)?.(trx, agent)
    }
  }
}

export default fp(
  async (app) => {
    app.decorate('agentOwners', createAgentOwners())
  },
  { name: 'agent-owners' }
)
