import type { Operation, Step } from './document.ts'

/** How Postman writes a credential down. */
export type Auth =
  { type: 'noauth' } | { type: 'bearer'; bearer: Attribute[] } | { type: 'apikey'; apikey: Attribute[] }

interface Attribute {
  key: string
  value: string
  type: 'string'
}

const attribute = (key: string, value: string): Attribute => ({ key, value, type: 'string' })

export const bearer = (variable: string): Auth => ({ type: 'bearer', bearer: [attribute('token', `{{${variable}}}`)] })

/** The variable with the bearer token of each scheme, in the order of preference: an application's key before a person's session. */
const tokens: [scheme: string, variable: string][] = [
  ['PartnerKey', 'apiKey'],
  ['PersonalAccessToken', 'apiKey'],
  ['BearerJWT', 'accessToken'],
  ['AgentKey', 'agentKey']
]

/** The variable of a credential that only the operator of a server can have, where an operation asks for one. */
export const operatorsVariable = (operation: Operation): string | undefined => {
  if (operation['x-operator-only'] === true) return 'operatorToken'
  return operation.security.some((alternative) => 'IngestSecret' in alternative) ? 'ingestSecret' : undefined
}

/** An operation's own credential; undefined where the collection's, `{{apiKey}}`, is the right one. */
export const authOf = (operation: Operation, step: Step): Auth | undefined => {
  if (step.token !== undefined) return bearer(step.token)
  const variable = operatorsVariable(operation)
  if (variable === 'ingestSecret') {
    return {
      type: 'apikey',
      apikey: [
        attribute('key', 'X-Atlas-Ingest-Secret'),
        attribute('value', '{{ingestSecret}}'),
        attribute('in', 'header')
      ]
    }
  }
  if (variable !== undefined) return bearer(variable)
  const schemes = operation.security.flatMap((alternative) => Object.keys(alternative))
  const token = tokens.find(([scheme]) => schemes.includes(scheme))?.[1]
  // The refresh cookie is in Postman's cookie jar since signing in.
  if (token === undefined) return { type: 'noauth' }
  return token === 'apiKey' ? undefined : bearer(token)
}
