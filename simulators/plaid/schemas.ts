import { Type } from '@sinclair/typebox'
import type { TProperties, TSchema } from '@sinclair/typebox'
import { faultKinds } from './faults.ts'

/** Plaid's fields that the simulator ignores. */
const ignored = (...names: string[]): TProperties =>
  Object.fromEntries(names.map((name) => [name, Type.Optional(Type.Unknown())]))

/** A request body. Plaid refuses unknown fields. Credentials may be in the body or in the headers. */
const body = <Fields extends TProperties>(fields: Fields, ...ignoredNames: string[]) => {
  const schema = Type.Object(
    { client_id: Type.Optional(Type.String()), secret: Type.Optional(Type.String()), ...fields },
    { additionalProperties: false }
  )
  Object.assign(schema.properties, ignored(...ignoredNames))
  return schema
}

const oneOf = <Values extends readonly string[]>(values: readonly [...Values]) =>
  Type.Unsafe<Values[number]>({ type: 'string', enum: [...values] })
const nullable = <Schema extends TSchema>(schema: Schema) => Type.Union([schema, Type.Null()])
const text = Type.String({ minLength: 1 })
const texts = Type.Array(text)
const url = Type.String({ pattern: '^https?://[^\\s/]+' })
const days = Type.Integer({ minimum: 1, maximum: 730 })
const accessToken = { access_token: text }

export const linkTokenCreate = body(
  {
    client_name: text,
    language: text,
    country_codes: Type.Array(text, { minItems: 1 }),
    user: Type.Optional(Type.Object({ client_user_id: text })),
    user_id: Type.Optional(text),
    products: Type.Optional(nullable(texts)),
    webhook: Type.Optional(url),
    required_if_supported_products: Type.Optional(nullable(texts)),
    update: Type.Optional(nullable(Type.Object({ account_selection_enabled: Type.Optional(Type.Boolean()) }))),
    access_token: Type.Optional(nullable(text)),
    redirect_uri: Type.Optional(nullable(Type.String())),
    transactions: Type.Optional(Type.Object({ days_requested: Type.Optional(days) })),
    transfer: Type.Optional(Type.Object({ authorization_id: Type.Optional(text) }))
  },
  'optional_products',
  'additional_consented_products',
  'access_tokens',
  'link_customization_name',
  'appearance_mode',
  'android_package_name',
  'institution_data',
  'card_switch',
  'account_filters',
  'eu_config',
  'institution_id',
  'payment_configuration',
  'payment_initiation',
  'employment',
  'income_verification',
  'base_report',
  'credit_partner_insights',
  'cra_options',
  'consumer_report_permissible_purpose',
  'auth',
  'identity_verification',
  'statements',
  'third_party_user_token',
  'investments',
  'investments_auth',
  'hosted_link',
  'cashflow_report',
  'cra_enabled',
  'identity',
  'financekit_supported',
  'enable_multi_item_link',
  'user_token'
)

export const linkTokenGet = body({ link_token: text })

export const publicTokenCreate = body(
  {
    institution_id: text,
    initial_products: Type.Array(text, { minItems: 1 }),
    options: Type.Optional(
      Type.Object({
        webhook: Type.Optional(url),
        override_username: Type.Optional(nullable(Type.String())),
        override_password: Type.Optional(nullable(Type.String())),
        transactions: Type.Optional(
          nullable(
            Type.Object({
              start_date: Type.Optional(Type.String()),
              end_date: Type.Optional(Type.String()),
              days_requested: Type.Optional(days)
            })
          )
        )
      })
    )
  },
  'user_token',
  'user_id'
)

export const publicTokenExchange = body({ public_token: text })
export const itemGet = body(accessToken)
export const itemRemove = body({
  ...accessToken,
  reason_code: Type.Optional(Type.String()),
  reason_note: Type.Optional(nullable(Type.String({ maxLength: 512 })))
})
export const accountsGet = body({
  ...accessToken,
  options: Type.Optional(
    Type.Object({ account_ids: Type.Optional(texts), min_last_updated_datetime: Type.Optional(Type.String()) })
  )
})
export const transactionsSync = body({
  ...accessToken,
  cursor: Type.Optional(Type.String({ maxLength: 256 })),
  count: Type.Optional(Type.Integer({ minimum: 1, maximum: 500 })),
  options: Type.Optional(
    Type.Object({
      account_id: Type.Optional(text),
      days_requested: Type.Optional(days),
      include_original_description: Type.Optional(nullable(Type.Boolean()))
    })
  )
})
export const institutionsGetById = body({
  institution_id: text,
  country_codes: Type.Array(text, { minItems: 1 }),
  options: Type.Optional(
    Type.Object({
      include_optional_metadata: Type.Optional(Type.Boolean()),
      include_status: Type.Optional(Type.Boolean()),
      include_auth_metadata: Type.Optional(Type.Boolean())
    })
  )
})

/** The webhook codes that Plaid's reference lists for the sandbox. */
export const fireWebhook = body({
  ...accessToken,
  webhook_type: Type.Optional(
    oneOf(['AUTH', 'HOLDINGS', 'INVESTMENTS_TRANSACTIONS', 'ITEM', 'LIABILITIES', 'TRANSACTIONS', 'ASSETS'])
  ),
  webhook_code: oneOf([
    'DEFAULT_UPDATE',
    'NEW_ACCOUNTS_AVAILABLE',
    'SMS_MICRODEPOSITS_VERIFICATION',
    'AUTHORIZATION_GRANTED',
    'USER_PERMISSION_REVOKED',
    'USER_ACCOUNT_REVOKED',
    'PENDING_DISCONNECT',
    'RECURRING_TRANSACTIONS_UPDATE',
    'LOGIN_REPAIRED',
    'SYNC_UPDATES_AVAILABLE',
    'PRODUCT_READY',
    'ERROR'
  ])
})
export const webhookVerificationKeyGet = body({ key_id: text })

/** A dollar amount with two decimals, as Plaid requires. Eleven digits at most are safe as integer cents. */
const amount = Type.String({ pattern: '^(0|[1-9][0-9]{0,10})\\.[0-9]{2}$' })
const optionalText = Type.Optional(nullable(Type.String()))

export const authorizationCreate = body(
  {
    ...accessToken,
    account_id: text,
    type: oneOf(['debit', 'credit']),
    network: oneOf(['ach', 'same-day-ach', 'rtp', 'wire']),
    amount,
    ach_class: Type.Optional(oneOf(['ccd', 'ppd', 'tel', 'web'])),
    idempotency_key: Type.Optional(nullable(Type.String({ maxLength: 50 }))),
    iso_currency_code: Type.Optional(Type.String()),
    user: Type.Object({
      legal_name: text,
      phone_number: optionalText,
      email_address: optionalText,
      address: Type.Optional(
        nullable(
          Type.Object({
            street: optionalText,
            city: optionalText,
            region: optionalText,
            postal_code: optionalText,
            country: optionalText
          })
        )
      )
    })
  },
  'funding_account_id',
  'ledger_id',
  'payment_profile_token',
  'wire_details',
  'device',
  'origination_account_id',
  'user_present',
  'with_guarantee',
  'request_guarantee',
  'beacon_session_id',
  'originator_client_id',
  'credit_funds_source',
  'test_clock_id',
  'ruleset_key',
  'custom_attributes'
)

export const transferCreate = body(
  {
    ...accessToken,
    account_id: text,
    authorization_id: text,
    description: Type.String({ minLength: 1, maxLength: 15 }),
    amount: Type.Optional(amount),
    metadata: Type.Optional(
      nullable(Type.Record(Type.String({ maxLength: 40 }), Type.String({ maxLength: 500 }), { maxProperties: 50 }))
    )
  },
  'idempotency_key',
  'type',
  'network',
  'ach_class',
  'user',
  'origination_account_id',
  'iso_currency_code',
  'test_clock_id',
  'facilitator_fee'
)

export const transferGet = body(
  { transfer_id: Type.Optional(text), authorization_id: Type.Optional(text) },
  'originator_client_id'
)
export const transferCancel = body({ transfer_id: text }, 'originator_client_id', 'reason_code')
export const transferEventSync = body({
  after_id: Type.Integer({ minimum: 0 }),
  count: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 500 })))
})
export const transferSimulate = body(
  {
    transfer_id: text,
    event_type: text,
    failure_reason: Type.Optional(
      nullable(
        Type.Object({
          failure_code: optionalText,
          ach_return_code: optionalText,
          description: Type.Optional(Type.String())
        })
      )
    ),
    webhook: Type.Optional(url)
  },
  'test_clock_id'
)
export const transferMigrateAccount = body(
  {
    account_number: Type.String({ pattern: '^[0-9]{4,17}$' }),
    routing_number: Type.String({ pattern: '^[0-9]{9}$' }),
    account_type: oneOf(['checking', 'savings'])
  },
  'wire_routing_number'
)

/** The simulator's own controls, which Plaid does not have. */
export const controlFaults = body({
  path: text,
  kind: oneOf(faultKinds),
  times: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  delay_ms: Type.Optional(Type.Integer({ minimum: 0, maximum: 60_000 }))
})
export const controlItem = body({ item_id: text })
export const controlLinkComplete = body({ link_token: text, institution_id: Type.Optional(text) })
