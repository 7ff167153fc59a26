import {
  credentialNotAccepted,
  insufficientScope,
  operatorRequired,
  testCredentialRequired
} from '../http/errors/kinds.ts'
import type { Caller } from './caller.ts'
import { ProblemError } from '../http/errors/problem.ts'
import type { Operation, SecurityScheme } from '../operations/table.ts'

const schemeOf: Record<Caller['kind'], SecurityScheme> = {
  partner_key: 'PartnerKey',
  token: 'PersonalAccessToken',
  session: 'BearerJWT',
  agent_key: 'AgentKey',
  ingest: 'IngestSecret'
}

/**
 * Rejects a caller that the specification does not allow: by its kind (`security`), its scopes (`x-required-scopes`), its role (`x-operator-only`) or its
 * environment (`x-test-only`).
 * @throws ProblemError 403
 */
export const checkAuthorization = (operation: Operation, caller: Caller | null): void => {
  if (caller === null) return
  if (!operation.security.some((alternative) => alternative.includes(schemeOf[caller.kind]))) {
    const accepted = [...new Set(operation.security.flat())].join(', ')
    throw credentialNotAccepted(`This operation does not accept this kind of credential. Send one of: ${accepted}.`, {
      accepted: operation.security.flat()
    })
  }
  if (caller.kind === 'token' || caller.kind === 'partner_key') {
    const { kind, scopes } = caller
    const missingScope = scopes === null ? undefined : operation.scopes.find((scope) => !scopes.includes(scope))
    const what = kind === 'token' ? 'token' : 'key'
    if (missingScope !== undefined)
      throw insufficientScope(`The ${what} lacks the scope '${missingScope}'. Create a ${what} that has it.`, {
        missingScope
      })
  }
  if (operation.extensions?.['x-operator-only'] === true && !(caller.kind === 'session' && caller.operator)) {
    throw operatorRequired('Only an operator of this server can call this operation. Sign in as an operator.')
  }
  if (operation.extensions?.['x-test-only'] === true && 'environment' in caller && caller.environment === 'live') {
    throw testCredentialRequired('Sandbox operations require a test credential.')
  }
}

/** Whether the specification allows a caller to call the operation. An operation without security allows everyone. */
export const isAuthorized = (operation: Operation, caller: Caller | null): boolean => {
  if (operation.security.length === 0) return true
  try {
    checkAuthorization(operation, caller)
    return true
  } catch (error) {
    if (error instanceof ProblemError) return false
    throw error
  }
}
