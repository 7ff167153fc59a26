import type { Operation } from '../../plugins/operations/table.ts'
import { bodyOf, parametersOf, resolve, type SchemaObject } from './document.ts'
import type { Things } from './things.ts'

/** What an identifier names: a thing that a partner has one of, the cursor of a list, or nothing that belongs to a partner. */
export type Kind = keyof Things | 'cursor' | 'nobodys'

/**
 * What each identifier of a request names: of a path by the path up to it, of a query or a body by its name, and where an operation means something else, with its
 * operationId before that. `nobodys` is what no partner owns: a
 * page of this server, a bank of Plaid's, or a name that the sender gives to something of its own.
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
  '/errors/{slug}': 'nobodys',
  user_id: 'endUser',
  end_user_id: 'endUser',
  partner_id: 'partner',
  agent_id: 'agent',
  'recordCreditAccount agent_id': 'furnishedAgent',
  'reportBehavior agent_id': 'furnishedAgent',
  api_key: 'agentKey',
  item_id: 'item',
  public_token: 'publicToken',
  from_account_id: 'account',
  to_account_id: 'recipient',
  account_id: 'creditAccount',
  request_id: 'approval',
  session_id: 'checkoutSession',
  projectId: 'project',
  dependsOn: 'earlierTask',
  after: 'sequence',
  cursor: 'cursor',
  id: 'nobodys',
  event_id: 'nobodys',
  institution_id: 'nobodys'
}

/** By the convention of names: what ends so names a thing. */
const looksLikeOne = /(^|_)(id|key|token|cursor|after)$|[a-z]Id$|^dependsOn$/

/** A place of a request that names a thing. */
export interface Identifier {
  place: 'path' | 'query' | 'body'
  name: string
  /** Where it is in the body. */
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
 * @throws Error for one that nobody has said yet what it names
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
        `${operation.operationId} takes the identifier ${key}, and nothing says what it names. Add it to \`kinds\` in test/architecture/identifiers.ts; if it is of a new kind, let test/architecture/things.ts make one.`
      )
    }
    return { ...identifier, kind }
  })
}
