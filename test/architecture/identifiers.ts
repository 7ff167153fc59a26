import type { Operation } from '../../plugins/operations/table.ts'
import { bodyOf, parametersOf, resolve, type SchemaObject } from './document.ts'
import type { Resources } from './resources.ts'

/** What an identifier refers to: a resource of a partner, the cursor of a list, or `unowned`. */
export type Kind = keyof Resources | 'cursor' | 'unowned'

/**
 * What each identifier of a request refers to. The key is the path up to the identifier, or the name in a query or body, after an operationId where an operation
 * means something else. No partner owns `unowned` ones: a page of this server, a bank of Plaid's, or a name that the caller chooses.
 */
const kinds: Record<string, Kind> = {
  '/api/v1/admin/partners/{id}': 'partner',
  '/api/v1/users/me/sessions/{id}': 'session',
  '/v1/api-keys/{id}': 'apiKey',
  '/v1/tokens/{id}': 'token',
  '/v1/idempotency/{key}': 'idempotencyKey',
  '/v1/items/{item_id}': 'item',
  '/v1/sandbox/items/{item_id}': 'item',
  '/v1/transfers/{id}': 'transfer',
  '/v1/sandbox/transfers/{id}': 'transfer',
  '/v1/recipients/{id}': 'recipient',
  '/v1/webhooks/{id}': 'webhook',
  '/v1/webhooks/{id}/deliveries/{deliveryId}': 'delivery',
  '/api/agents/{agent_id}': 'agent',
  '/api/loans/{loan_id}': 'loan',
  'disputeReport /v2/api/reports/{id}': 'report',
  'confirmReport /v2/api/reports/{id}': 'furnishedReport',
  '/v1/projects/{id}': 'project',
  '/v1/tasks/{id}': 'task',
  '/errors/{slug}': 'unowned',
  user_id: 'endUser',
  end_user_id: 'endUser',
  partner_id: 'partner',
  agent_id: 'agent',
  to_agent_id: 'agent',
  from_agent_id: 'agent',
  'recordCreditAccount agent_id': 'furnishedAgent',
  'reportBehavior agent_id': 'furnishedAgent',
  api_key: 'agentKey',
  item_id: 'item',
  public_token: 'publicToken',
  from_account_id: 'account',
  to_account_id: 'recipient',
  'listTransfers account_id': 'account',
  account_id: 'creditAccount',
  request_id: 'approval',
  session_id: 'checkoutSession',
  projectId: 'project',
  dependsOn: 'earlierTask',
  after: 'sequence',
  cursor: 'cursor',
  id: 'unowned',
  event_id: 'unowned',
  institution_id: 'unowned'
}

/** By naming convention, fields with such a name are identifiers. */
const looksLikeOne = /(^|_)(id|key|token|cursor|after)$|[a-z]Id$|^dependsOn$/

/** A position in a request that holds an identifier. */
export interface Identifier {
  place: 'path' | 'query' | 'body'
  name: string
  /** Its position in the body. */
  pointer: (string | number)[]
  kind: Kind
  required: boolean
}

const inBody = (
  schema: SchemaObject,
  pointer: (string | number)[],
  name = ''
): Omit<Identifier, 'kind' | 'place'>[] => {
  const {
    properties = {},
    required = [],
    items
  } = resolve<SchemaObject & { required?: string[]; items?: SchemaObject }>(schema)
  const own = items === undefined && looksLikeOne.test(name) ? [{ name, pointer, required: false }] : []
  const nested = Object.entries(properties).flatMap(([key, child]) =>
    inBody(child, [...pointer, key], key).map((found) =>
      found.pointer.length === pointer.length + 1 ? { ...found, required: required.includes(key) } : found
    )
  )
  return [...own, ...nested, ...(items === undefined ? [] : inBody(items, [...pointer, 0], name))]
}

/**
 * The identifiers in an operation's request.
 * @throws Error for an identifier that is not listed in `kinds`
 */
export const identifiersOf = (operation: Operation): Identifier[] => {
  const [media] = Object.values(bodyOf(operation))
  const found = [
    ...parametersOf(operation)
      .filter(({ in: place, name }) => place === 'path' || (place === 'query' && looksLikeOne.test(name)))
      .map(({ in: place, name, required = false }) => ({
        place: place as 'path' | 'query',
        name,
        pointer: [],
        required
      })),
    ...inBody(media?.schema ?? {}, []).map((field) => ({ ...field, place: 'body' as const }))
  ]
  return found.map((identifier) => {
    const key =
      identifier.place === 'path'
        ? operation.path.slice(0, operation.path.indexOf(`{${identifier.name}}`) + identifier.name.length + 2)
        : identifier.name
    const kind = kinds[`${operation.operationId} ${key}`] ?? kinds[key]
    if (kind === undefined) {
      throw new Error(
        `${operation.operationId} takes the identifier ${key}, which is not listed. Add it to \`kinds\` in test/architecture/identifiers.ts. For a new kind, create a resource in test/architecture/resources.ts.`
      )
    }
    return { ...identifier, kind }
  })
}
