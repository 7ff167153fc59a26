import type { RateOverrides } from '../config/index.ts'

export type Environment = 'test' | 'live'

interface OfPartner {
  partnerId: string
  /** The environment of resources that the caller creates. */
  environment: Environment
  /** The environments that the caller can read. A session can read both. */
  environments: Environment[]
  rateOverrides: RateOverrides
}

/** A partner's backend, with an API key. */
export interface PartnerCaller extends OfPartner {
  kind: 'partner_key'
  credentialId: string
  /** Null for all scopes. */
  scopes: string[] | null
}

/** A personal access token, limited to scopes and optionally to addresses. */
export interface TokenCaller extends OfPartner {
  kind: 'token'
  credentialId: string
  userId: string
  scopes: string[]
}

/** A signed-in user, with the access token of a session. */
export interface SessionCaller extends OfPartner {
  kind: 'session'
  sessionId: string
  userId: string
  role: 'owner' | 'member'
  operator: boolean
}

/** A software agent, with its key. The partner is that of its owner, if it has one. */
export interface AgentCaller {
  kind: 'agent_key'
  credentialId: string
  agentId: string
  partnerId: string | null
  rateOverrides: RateOverrides
}

/** A backend with the ingest secret. */
export interface IngestCaller {
  kind: 'ingest'
}

export type Caller = PartnerCaller | TokenCaller | SessionCaller | AgentCaller | IngestCaller

/** The owner of idempotency keys, and the environment that their requests write to. */
export interface KeyOwner {
  tenant: string
  environment: Environment
}

const ownerOfPartner = (partnerId: string, environment: Environment): KeyOwner => ({
  tenant: environment === 'live' ? `${partnerId}:live` : partnerId,
  environment
})

/**
 * The owner of a caller's idempotency keys: the credentials of a partner in one environment, a signed-in user at one partner, the agent, or the ingest
 * backend. Users have keys of their own, because what they change can be live although they create test resources.
 */
export const keyOwnerOf = (caller: Caller): KeyOwner => {
  switch (caller.kind) {
    case 'ingest':
      return { tenant: 'ingest', environment: 'live' }
    case 'agent_key':
      return { tenant: `agent:${caller.agentId}`, environment: 'live' }
    case 'session':
      return { tenant: `${caller.partnerId}:session:${caller.userId}`, environment: caller.environment }
    default:
      return ownerOfPartner(caller.partnerId, caller.environment)
  }
}

/** Every owner whose idempotency keys a caller can look up: its own, and for a session also the partner's credentials. */
export const readableKeyOwners = (caller: Caller): KeyOwner[] => [
  keyOwnerOf(caller),
  ...(caller.kind === 'session'
    ? caller.environments.map((environment) => ownerOfPartner(caller.partnerId, environment))
    : [])
]

/** The actor of a caller in the activity log. */
export const actorOf = (caller: Caller): { type: string; id: string } => {
  switch (caller.kind) {
    case 'partner_key':
      return { type: 'api_key', id: caller.credentialId }
    case 'token':
      return { type: 'token', id: caller.credentialId }
    case 'session':
      return { type: 'user', id: caller.userId }
    case 'agent_key':
      return { type: 'agent', id: caller.agentId }
    case 'ingest':
      return { type: 'ingest', id: 'ingest' }
  }
}
