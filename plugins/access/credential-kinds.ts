import { listed } from '../http/errors/sentences.ts'
import type { Operation, SecurityScheme } from '../operations/table.ts'
import type { Caller } from './caller.ts'

/** The rules of an operation, or of another endpoint, about credentials. */
export type Admission = Pick<Operation, 'security'> & Partial<Pick<Operation, 'scopes' | 'extensions'>>

export const schemeOf: Record<Caller['kind'], SecurityScheme> = {
  partner_key: 'PartnerKey',
  token: 'PersonalAccessToken',
  session: 'BearerJWT',
  agent_key: 'AgentKey',
  ingest: 'IngestSecret'
}

/**
 * The kinds of credentials with which a caller can succeed: those that `security` admits, without those that a later check rejects. `x-refused-kinds` are
 * admitted only so that they get an explanation.
 */
export const acceptedSchemes = ({ security, extensions }: Admission): SecurityScheme[] => {
  const refused = (extensions?.['x-refused-kinds'] ?? []) as readonly SecurityScheme[]
  const schemes = [...new Set(security.flat())].filter((scheme) => !refused.includes(scheme))
  return extensions?.['x-operator-only'] === true ? schemes.filter((scheme) => scheme === 'BearerJWT') : schemes
}

const inWords = (scheme: SecurityScheme, { scopes = [], extensions }: Admission): string => {
  const a = extensions?.['x-test-only'] === true ? 'a test' : 'a'
  switch (scheme) {
    case 'PartnerKey':
      return `${a} partner key`
    case 'PersonalAccessToken':
      return `${a} personal access token${scopes.length === 0 ? '' : ` (scope ${listed(scopes, 'and')})`}`
    case 'BearerJWT':
      return extensions?.['x-operator-only'] === true
        ? 'the sign-in of an operator (access token)'
        : 'a sign-in (access token)'
    case 'AgentKey':
      return "an agent's key"
    case 'IngestSecret':
      return 'the ingest secret'
    case 'RefreshCookie':
      return 'the refresh cookie'
  }
}

/** The accepted kinds of credentials in words: `a partner key or a sign-in (access token)`. */
export const acceptedInWords = (admission: Admission): string =>
  listed(acceptedSchemes(admission).map((scheme) => inWords(scheme, admission)))

const sentNames: Record<Caller['kind'], string> = {
  partner_key: 'partner key',
  token: 'personal access token',
  session: 'sign-in (access token)',
  agent_key: "agent's key",
  ingest: 'ingest secret'
}

/** The kind of a caller's credential in words: `a live partner key`. */
export const sentInWords = (caller: Caller): string => {
  const name = sentNames[caller.kind]
  if (caller.kind === 'partner_key' || caller.kind === 'token') return `a ${caller.environment} ${name}`
  return caller.kind === 'agent_key' ? `an ${name}` : `a ${name}`
}
