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

/** The tenant of an idempotency key: the partner (test and live separately), the agent, or the ingest backend. */
export const tenantOf = (caller: Caller): string => {
  switch (caller.kind) {
    case 'ingest':
      return 'ingest'
    case 'agent_key':
      return `agent:${caller.agentId}`
    default:
      return caller.environment === 'live' ? `${caller.partnerId}:live` : caller.partnerId
  }
}

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
