import type { Operation, Step } from './document.ts'

/** A credential in Postman's format. */
export type Auth =
  { type: 'noauth' } | { type: 'bearer'; bearer: Attribute[] } | { type: 'apikey'; apikey: Attribute[] }

interface Attribute {
  key: string
  value: string
  type: 'string'
}

const attribute = (key: string, value: string): Attribute => ({ key, value, type: 'string' })

export const bearer = (variable: string): Auth => ({ type: 'bearer', bearer: [attribute('token', `{{${variable}}}`)] })

/** The variable that holds the bearer token of each scheme, in order of preference: an application's key before a person's session. */
const tokens: [scheme: string, variable: string][] = [
  ['PartnerKey', 'apiKey'],
  ['PersonalAccessToken', 'apiKey'],
  ['BearerJWT', 'accessToken'],
  ['AgentKey', 'agentKey']
]

/** The variable of a credential that only the server's operator has; undefined when the operation needs none. */
export const operatorsVariable = (operation: Operation): string | undefined => {
  if (operation['x-operator-only'] === true) return 'operatorToken'
  return operation.security.some((alternative) => 'IngestSecret' in alternative) ? 'ingestSecret' : undefined
}

/** The credential of an operation; undefined when it is the collection's default, `{{apiKey}}`. */
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
  // Postman keeps the refresh cookie of the sign-in in its cookie jar.
  if (token === undefined) return { type: 'noauth' }
  return token === 'apiKey' ? undefined : bearer(token)
}
