import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import type { ValidateFunction } from 'ajv'
import addFormatsModule from 'ajv-formats'
import {
  ACHClass,
  Products,
  SandboxItemFireWebhookRequestWebhookCodeEnum as Code,
  TransferNetwork,
  TransferType
} from 'plaid'
import type { PlaidApi } from 'plaid'
import { test } from 'tap'
import type { Cleaner } from '../../test-database.ts'
import * as requestSchemas from '../../../simulators/plaid/schemas.ts'
import {
  buildSimulator,
  clientOf,
  credentials,
  days,
  link,
  receiveWebhooks,
  refusal,
  unitedStates
} from './build-simulator.ts'

const root = path.resolve(import.meta.dirname, '../../..')
const vendor = process.env['ATLAS_VENDOR_DIR'] ?? path.resolve(root, '..', 'shared', 'vendor')
const specFile = path.join(vendor, 'plaid-openapi.trimmed.json')
const typesFile = path.join(vendor, 'plaid-node-47.0.0-types.schema.json')
const skip =
  existsSync(specFile) && existsSync(typesFile)
    ? false
    : `Plaid's published contract is not beside this checkout (looked in ${vendor}; set ATLAS_VENDOR_DIR)`

interface Spec {
  paths: Record<
    string,
    {
      post: {
        requestBody: { content: { 'application/json': { schema: object } } }
        responses: Record<string, { content: { 'application/json': { schema: object } } }>
      }
    }
  >
  components: { schemas: Record<string, { properties?: Record<string, unknown> }> }
}

/** Translates OpenAPI 3.0 keywords such as `nullable` to JSON Schema. References point into the specification itself. */
const toJsonSchema = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(toJsonSchema)
  if (typeof value !== 'object' || value === null) return value
  if ('$ref' in value) return { $ref: `plaid-spec${String(value.$ref)}` }
  const { nullable, discriminator, example, exclusiveMinimum, exclusiveMaximum, ...rest } = value as Record<
    string,
    unknown
  >
  const schema = Object.fromEntries(Object.entries(rest).map(([key, inner]) => [key, toJsonSchema(inner)]))
  return nullable === true ? { anyOf: [{ type: 'null' }, schema] } : schema
}

const read = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as unknown

const buildContract = () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  const addFormats = addFormatsModule as unknown as (ajv: Ajv2020) => void
  addFormats(ajv)
  ajv.addFormat('url', /^https?:\/\//)
  const spec = read(specFile) as Spec
  ajv.addSchema({ $id: 'plaid-spec', components: { schemas: toJsonSchema(spec.components.schemas) } })
  const types = read(typesFile) as { $id: string; $defs: Record<string, unknown> }
  ajv.addSchema(types)
  const compiled = new Map<string, ValidateFunction>()
  const check = (what: string, schema: object, value: unknown) => {
    const key = JSON.stringify(schema)
    const validate = compiled.get(key) ?? ajv.compile(schema)
    compiled.set(key, validate)
    assert.ok(validate(value), `${what}: ${ajv.errorsText(validate.errors)}\n${JSON.stringify(value)?.slice(0, 600)}`)
  }
  return {
    spec,
    ofSpec: (what: string, schema: object, value: unknown) => {
      check(what, toJsonSchema(schema) as object, value)
    },
    ofComponent: (name: string, value: unknown) => {
      check(name, { $ref: `plaid-spec#/components/schemas/${name}` }, value)
    },
    /** The package's types are closed: an unknown field is an error. */
    ofTypes: (name: string, value: unknown) => {
      if (`root.${name}` in types.$defs) check(name, { $ref: `${types.$id}#/$defs/root.${name}` }, value)
    }
  }
}

interface Exchange {
  path: string
  request: unknown
  status: number
  response: unknown
}

/** Records everything that the plaid package sends and receives, in wire format. */
const overhear = (t: Cleaner): Exchange[] => {
  const exchanges: Exchange[] = []
  interface AxiosResponse {
    status: number
    data: unknown
    config: { url?: string; data?: string }
  }
  interface Interceptors {
    use: (
      ok: (response: AxiosResponse) => AxiosResponse,
      failed: (error: { response?: AxiosResponse }) => never
    ) => number
    eject: (id: number) => void
  }
  const axios = createRequire(createRequire(import.meta.url).resolve('plaid'))('axios') as {
    interceptors: { response: Interceptors }
  }
  const note = (response: AxiosResponse) => {
    exchanges.push({
      path: new URL(response.config.url ?? '').pathname,
      request: JSON.parse(response.config.data ?? 'null'),
      status: response.status,
      response: response.data
    })
  }
  const id = axios.interceptors.response.use(
    (response) => {
      note(response)
      return response
    },
    (error) => {
      if (error.response !== undefined) note(error.response)
      throw error as Error
    }
  )
  t.teardown(() => {
    axios.interceptors.response.eject(id)
  })
  return exchanges
}

const linking = async (plaid: PlaidApi, baseUrl: string, webhook: string) => {
  await plaid.linkTokenCreate({
    client_name: 'Test',
    language: 'en',
    country_codes: unitedStates,
    user: { client_user_id: 'u1' },
    products: [Products.Transactions],
    webhook
  })
  const item = await link(plaid, { webhook })
  const { accessToken: access_token } = item
  await plaid.linkTokenCreate({
    client_name: 'Test',
    language: 'en',
    country_codes: unitedStates,
    user: { client_user_id: 'u1' },
    access_token
  })
  await plaid.itemGet({ access_token })
  await plaid.accountsGet({ access_token, options: { account_ids: [item.account('0000').account_id] } })
  await plaid.accountsBalanceGet({ access_token })
  for (const id of ['ins_109508', 'ins_109509', 'ins_109510', 'ins_109511', 'ins_109512']) {
    await plaid.institutionsGetById({
      institution_id: id,
      country_codes: unitedStates,
      options: { include_optional_metadata: true, include_status: true, include_auth_metadata: true }
    })
  }
  await refusal(plaid.institutionsGetById({ institution_id: 'ins_0', country_codes: unitedStates }))
  await refusal(plaid.itemPublicTokenExchange({ public_token: 'x' }))
  await refusal(clientOf(baseUrl, { ...credentials, secret: 'no' }).itemGet({ access_token }))
  return item
}

/** Everything that unruly banks do within the contract; `ins_900007` breaks it on purpose. */
const unruly = async (plaid: PlaidApi, webhook: string, turn: () => void) => {
  for (const institution of [1, 2, 3, 4, 5, 6]
    .map((number) => `ins_90000${number}`)
    .concat('ins_127287', 'ins_128026')) {
    const { accessToken: access_token } = await link(plaid, { webhook, institution, days: 120 })
    await plaid.itemGet({ access_token })
    for (const options of [{}, { min_last_updated_datetime: '2026-03-01T00:00:00Z' }])
      await plaid.accountsBalanceGet({ access_token, options }).catch(() => undefined)
    let cursor = ''
    for (let round = 0; round < 2; round++) {
      for (let hasMore = true; hasMore;) {
        const { data } = await plaid.transactionsSync({ access_token, cursor, count: 500 })
        cursor = data.next_cursor
        hasMore = data.has_more
      }
      turn()
    }
    await plaid.sandboxItemFireWebhook({ access_token, webhook_code: Code.UserAccountRevoked })
  }
}

const transactions = async (plaid: PlaidApi, accessToken: string, turn: () => void) => {
  for (let cursor = '', left = 30; left > 0; left--) {
    const { data } = await plaid.transactionsSync({
      access_token: accessToken,
      cursor,
      count: 500,
      options: { include_original_description: true }
    })
    cursor = data.next_cursor
    if (!data.has_more) turn()
  }
  await refusal(plaid.transactionsSync({ access_token: accessToken, cursor: 'x' }))
  for (const webhook_code of [
    Code.SyncUpdatesAvailable,
    Code.DefaultUpdate,
    Code.NewAccountsAvailable,
    Code.PendingDisconnect,
    Code.LoginRepaired,
    Code.UserPermissionRevoked
  ])
    await plaid.sandboxItemFireWebhook({ access_token: accessToken, webhook_code })
  await refusal(plaid.sandboxItemFireWebhook({ access_token: accessToken, webhook_code: Code.ProductReady }))
}

const transfers = async (plaid: PlaidApi, item: Awaited<ReturnType<typeof link>>) => {
  const account_id = item.account('0000').account_id
  const authorize = async (amount: string, type: TransferType, network: TransferNetwork) =>
    (
      await plaid.transferAuthorizationCreate({
        access_token: item.accessToken,
        account_id,
        type,
        network,
        amount,
        ach_class: type === TransferType.Debit ? ACHClass.Web : ACHClass.Ppd,
        idempotency_key: `${amount}${type}${network}`,
        user: {
          legal_name: 'Anne Charleston',
          email_address: 'anne@example.com',
          address: { street: '123 Main St.', city: 'San Francisco', region: 'CA', postal_code: '94053', country: 'US' }
        }
      })
    ).data.authorization
  await authorize('100000.00', TransferType.Debit, TransferNetwork.Ach)
  const ends = [['posted', 'settled', 'funds_available'], ['posted', 'returned'], ['failed']]
  for (const [i, steps] of ends.entries()) {
    const { id } = await authorize(`1${i}.00`, TransferType.Debit, TransferNetwork.SameDayAch)
    const {
      data: { transfer }
    } = await plaid.transferCreate({
      access_token: item.accessToken,
      account_id,
      authorization_id: id,
      description: 'payment',
      metadata: { order: String(i) }
    })
    for (const event_type of steps) await plaid.sandboxTransferSimulate({ transfer_id: transfer.id, event_type })
    await refusal(plaid.sandboxTransferSimulate({ transfer_id: transfer.id, event_type: 'posted' }))
    await plaid.transferGet({ transfer_id: transfer.id })
  }
  const credit = await authorize('12.34', TransferType.Credit, TransferNetwork.Rtp)
  await plaid.transferCreate({
    access_token: item.accessToken,
    account_id,
    authorization_id: credit.id,
    description: 'payout'
  })
  await plaid.transferGet({ authorization_id: credit.id })
  await plaid.transferEventSync({ after_id: 0, count: 5 })
  await refusal(plaid.transferGet({ transfer_id: 'none' }))
}

test(
  "all traffic matches Plaid's OpenAPI and package types, in both directions, errors included",
  { skip },
  async (t) => {
    const contract = buildContract()
    const { url, received } = await receiveWebhooks(t)
    const { plaid, baseUrl, clock, simulator } = await buildSimulator(t, { transferWebhookUrl: () => url })
    const exchanges = overhear(t)

    const item = await linking(plaid, baseUrl, url)
    await transactions(plaid, item.accessToken, () => {
      clock.advance(days(1.25))
    })
    await transfers(plaid, item)
    await unruly(plaid, url, () => {
      clock.advance(days(1.25))
    })
    await plaid.sandboxItemResetLogin({ access_token: item.accessToken })
    await plaid.itemGet({ access_token: item.accessToken })
    await refusal(plaid.accountsGet({ access_token: item.accessToken }))
    for (const kind of ['RATE_LIMIT_EXCEEDED', 'INTERNAL_SERVER_ERROR', 'error_after'] as const) {
      simulator.faults.next('*', kind)
      await refusal(plaid.itemGet({ access_token: item.accessToken }))
    }
    await simulator.settled()
    const [header] = (received[0]?.verification ?? '').split('.')
    const { kid } = JSON.parse(Buffer.from(header ?? '', 'base64url').toString()) as { kid: string }
    await plaid.webhookVerificationKeyGet({ key_id: kid })
    await plaid.itemRemove({ access_token: item.accessToken })

    assert.deepEqual(
      [...new Set(exchanges.map((exchange) => exchange.path))].sort(),
      Object.keys(contract.spec.paths).sort()
    )
    for (const { path: where, request, status, response } of exchanges) {
      const operation = contract.spec.paths[where]?.post
      assert.ok(operation)
      contract.ofSpec(`request ${where}`, operation.requestBody.content['application/json'].schema, request)
      const documented = operation.responses[status === 200 ? '200' : 'default']
      assert.ok(documented)
      contract.ofSpec(`${status} ${where}`, documented.content['application/json'].schema, response)
      const reference =
        (documented.content['application/json'].schema as { $ref?: string }).$ref?.split('/').at(-1) ?? ''
      contract.ofTypes(reference, response)
    }

    const names: Record<string, string> = {
      INITIAL_UPDATE: 'InitialUpdateWebhook',
      HISTORICAL_UPDATE: 'HistoricalUpdateWebhook',
      SYNC_UPDATES_AVAILABLE: 'SyncUpdatesAvailableWebhook',
      DEFAULT_UPDATE: 'DefaultUpdateWebhook',
      NEW_ACCOUNTS_AVAILABLE: 'NewAccountsAvailableWebhook',
      PENDING_DISCONNECT: 'PendingDisconnectWebhook',
      LOGIN_REPAIRED: 'ItemLoginRepairedWebhook',
      USER_PERMISSION_REVOKED: 'UserPermissionRevokedWebhook',
      USER_ACCOUNT_REVOKED: 'UserAccountRevokedWebhook',
      PENDING_EXPIRATION: 'PendingExpirationWebhook',
      ERROR: 'ItemErrorWebhook',
      TRANSFER_EVENTS_UPDATE: 'TransferEventsUpdateWebhook'
    }
    assert.deepEqual(
      [...new Set(received.map(({ body }) => String(body['webhook_code'])))].sort(),
      Object.keys(names).sort()
    )
    for (const { body } of received) contract.ofComponent(names[String(body['webhook_code'])] ?? '', body)
  }
)

test(
  "the simulator accepts every request field of Plaid's OpenAPI, and requires the same fields",
  { skip },
  async () => {
    const { spec } = buildContract()
    const ours: Record<string, { properties: object; required?: string[] }> = {
      LinkTokenCreateRequest: requestSchemas.linkTokenCreate,
      SandboxPublicTokenCreateRequest: requestSchemas.publicTokenCreate,
      ItemPublicTokenExchangeRequest: requestSchemas.publicTokenExchange,
      ItemGetRequest: requestSchemas.itemGet,
      ItemRemoveRequest: requestSchemas.itemRemove,
      AccountsGetRequest: requestSchemas.accountsGet,
      AccountsBalanceGetRequest: requestSchemas.accountsGet,
      TransactionsSyncRequest: requestSchemas.transactionsSync,
      InstitutionsGetByIdRequest: requestSchemas.institutionsGetById,
      TransferAuthorizationCreateRequest: requestSchemas.authorizationCreate,
      TransferCreateRequest: requestSchemas.transferCreate,
      TransferGetRequest: requestSchemas.transferGet,
      TransferEventSyncRequest: requestSchemas.transferEventSync,
      SandboxItemFireWebhookRequest: requestSchemas.fireWebhook,
      SandboxTransferSimulateRequest: requestSchemas.transferSimulate,
      SandboxItemResetLoginRequest: requestSchemas.itemGet,
      WebhookVerificationKeyGetRequest: requestSchemas.webhookVerificationKeyGet
    }
    assert.equal(Object.keys(ours).length, Object.keys(spec.paths).length)
    for (const [name, schema] of Object.entries(ours)) {
      const theirs = spec.components.schemas[name] as { properties: object; required?: string[] }
      assert.deepEqual(
        Object.keys(theirs.properties).filter((field) => !(field in schema.properties)),
        [],
        name
      )
      assert.deepEqual(
        (theirs.required ?? []).filter((field) => !(schema.required ?? []).includes(field)),
        [],
        name
      )
    }
  }
)
