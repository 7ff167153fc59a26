import type { RateOverrides } from '../config/index.ts'

export type Environment = 'test' | 'live'

interface OfPartner {
  partnerId: string
  /** What the caller creates belongs to this environment. */
  environment: Environment
  /** What the caller may see belongs to one of these; a session sees both. */
  environments: Environment[]
  rateOverrides: RateOverrides
}

/** A partner's backend, by its API key. */
export interface PartnerCaller extends OfPartner {
  kind: 'partner_key'
  credentialId: string
}

/** A personal access token: bound to scopes, perhaps to addresses. */
export interface TokenCaller extends OfPartner {
  kind: 'token'
  credentialId: string
  userId: string
  scopes: string[]
}

/** A signed-in user, by the session's access token. */
export interface SessionCaller extends OfPartner {
  kind: 'session'
  sessionId: string
  userId: string
  role: 'owner' | 'member'
  operator: boolean
}

/** A software agent, by its key. The partner is that of its owner, if it has one. */
export interface AgentCaller {
  kind: 'agent_key'
  credentialId: string
  agentId: string
  partnerId: string | null
  rateOverrides: RateOverrides
}

/** The backend that holds this server's ingest secret. */
export interface IngestCaller {
  kind: 'ingest'
}

export type Caller = PartnerCaller | TokenCaller | SessionCaller | AgentCaller | IngestCaller

/** Who an idempotency key belongs to: the partner (its test credentials apart from its live ones), the agent, or the ingest secret's holder. */
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

/** How the activity log names a caller. */
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
