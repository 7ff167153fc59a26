import type { ColumnType, Generated } from 'kysely'
import type { RateOverrides } from '../config/index.ts'

/** As `Environment` of plugins/access, which depends on this file. */
type Environment = 'test' | 'live'

/** jsonb: read as a value, written as text. */
type Json<T> = ColumnType<T, string, string>

export interface PartnersTable {
  id: string
  name: string
  production_enabled: Generated<boolean>
  /** Whether an operator has appointed the partner as a furnisher of the credit bureau. */
  furnisher: Generated<boolean>
  rate_overrides: ColumnType<RateOverrides, string | undefined, string>
  created_at: Date
}

export interface UsersTable {
  id: string
  email: string
  /** The e-mail address as `emailKeyOf` in plugins/email-address.ts normalises it. */
  email_key: string
  email_verified_at: Date | null
  /** Verified, with country code (E.164). */
  phone: string | null
  name: string
  password_hash: string
  operator: Generated<boolean>
  preferences: ColumnType<Record<string, unknown>, string | undefined, string>
  created_at: Date
}

export interface MembershipsTable {
  user_id: string
  partner_id: string
  role: 'owner' | 'member'
}

export interface SessionsTable {
  id: string
  user_id: string
  partner_id: string
  ip: string
  user_agent: string | null
  created_at: Date
  last_used_at: Date
  expires_at: Date
  revoked_at: Date | null
}

export interface RefreshTokensTable {
  hash: Buffer
  session_id: string
  created_at: Date
  expires_at: Date
  used_at: Date | null
  /** When the token was accepted once more after its use. */
  repeated_at: Date | null
}

export interface CredentialsTable {
  id: string
  hash: Buffer
  kind: 'partner_key' | 'token' | 'agent_key'
  partner_id: string | null
  user_id: string | null
  agent_id: string | null
  name: string
  environment: Environment
  /** Null for all scopes. A token always has some. */
  scopes: ColumnType<string[] | null, string[] | null | undefined, string[] | null>
  allowed_ips: string[] | null
  /** The prefix and the last four characters, to identify a credential without its secret. */
  hint: string
  created_at: Date
  expires_at: Date | null
  last_used_at: Date | null
  /** When a successor was minted. */
  rotated_at: ColumnType<Date | null, Date | null | undefined, Date | null>
  revoked_at: Date | null
}

export interface ActivityTable {
  id: Generated<number>
  partner_id: string | null
  environment: Environment
  at: Date
  actor_type: string
  actor_id: string
  operation_id: string
  method: string
  route: string
  resource_id: string | null
  ip: string
  request_id: string
}

export interface IdempotencyKeysTable {
  tenant: string
  environment: Environment
  key: string
  operation_id: string
  target_hash: Buffer
  body_hash: Buffer
  status: number
  /** The response, encrypted. */
  answer: Buffer
  created_at: Date
  expires_at: Date
}

export interface EventsTable {
  id: string
  position: Generated<number>
  partner_id: string
  environment: Environment
  type: string
  data: Json<Record<string, unknown>>
  created_at: Date
  sequence: number | null
  published_at: Date | null
}

export interface CheckResultsTable {
  name: string
  status: 'ok' | 'failed'
  detail: string
  at: Date
}

declare module './types.ts' {
  interface Database {
    partners: PartnersTable
    users: UsersTable
    memberships: MembershipsTable
    sessions: SessionsTable
    refresh_tokens: RefreshTokensTable
    credentials: CredentialsTable
    activity: ActivityTable
    idempotency_keys: IdempotencyKeysTable
    events: EventsTable
    check_results: CheckResultsTable
  }
}
