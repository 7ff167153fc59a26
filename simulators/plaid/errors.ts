/** Plaid's error object, in API responses and item webhooks. */
export interface PlaidErrorBody {
  error_type: string
  error_code: string
  error_message: string
  display_message: string | null
  documentation_url: string
  suggested_action: null
  causes: never[]
  status: number
}

/** An error that the simulator returns as Plaid does. */
export class PlaidApiError extends Error {
  readonly status: number
  readonly type: string
  readonly code: string
  readonly display: string | null

  constructor(status: number, type: string, code: string, message: string, display: string | null = null) {
    super(message)
    this.status = status
    this.type = type
    this.code = code
    this.display = display
  }

  body(): PlaidErrorBody {
    const page = this.type
      .toLowerCase()
      .replace(/_error$/, '')
      .replaceAll('_', '-')
    return {
      error_type: this.type,
      error_code: this.code,
      error_message: this.message,
      display_message: this.display,
      documentation_url: `https://plaid.com/docs/errors/${page}/#${this.code.toLowerCase()}`,
      suggested_action: null,
      causes: [],
      status: this.status
    }
  }
}

const invalidRequest = (code: string, message: string) => new PlaidApiError(400, 'INVALID_REQUEST', code, message)
const invalidInput = (code: string, message: string) => new PlaidApiError(400, 'INVALID_INPUT', code, message)
const transferError = (code: string, message: string) => new PlaidApiError(400, 'TRANSFER_ERROR', code, message)
const sandboxError = (code: string, message: string) => new PlaidApiError(400, 'SANDBOX_ERROR', code, message)

export const missingFields = (names: string[]) =>
  invalidRequest('MISSING_FIELDS', `the following required fields are missing: ${names.join(', ')}`)
export const unknownFields = (names: string[]) =>
  invalidRequest('UNKNOWN_FIELDS', `the following fields are not recognized by this endpoint: ${names.join(', ')}`)
export const invalidField = (message: string) => invalidRequest('INVALID_FIELD', message)
export const invalidBody = (message: string) => invalidRequest('INVALID_BODY', message)
export const notFound = () =>
  new PlaidApiError(404, 'INVALID_REQUEST', 'NOT_FOUND', 'the requested endpoint does not exist')

export const invalidApiKeys = () => invalidInput('INVALID_API_KEYS', 'invalid client_id or secret provided')
export const invalidAccessToken = () => invalidInput('INVALID_ACCESS_TOKEN', 'could not find matching access token')
export const invalidPublicToken = (reason: string) => invalidInput('INVALID_PUBLIC_TOKEN', reason)
export const invalidLinkToken = () => invalidInput('INVALID_LINK_TOKEN', 'link token is unknown or has expired')
export const invalidInstitution = () => invalidInput('INVALID_INSTITUTION', 'invalid institution_id provided')
export const invalidAccountId = () =>
  invalidInput('INVALID_ACCOUNT_ID', 'one or more of the account IDs is not part of this item')
export const invalidWebhookKeyId = () => invalidInput('INVALID_WEBHOOK_VERIFICATION_KEY_ID', 'invalid key_id provided')

export const itemLoginRequired = () =>
  new PlaidApiError(
    400,
    'ITEM_ERROR',
    'ITEM_LOGIN_REQUIRED',
    'the login details of this item have changed (credentials, MFA, or required user action) and a user login is required ' +
      "to update this information. use Link's update mode to restore the item to a good state",
    'The login details of this account have changed.'
  )
export const itemNotFound = () =>
  new PlaidApiError(
    400,
    'ITEM_ERROR',
    'ITEM_NOT_FOUND',
    'the Item you requested cannot be found: it was removed or never existed'
  )

export const internalServerError = () =>
  new PlaidApiError(500, 'API_ERROR', 'INTERNAL_SERVER_ERROR', 'an unexpected error occurred')
export const rateLimited = (code: string) =>
  new PlaidApiError(429, 'RATE_LIMIT_EXCEEDED', code, 'rate limit exceeded for this endpoint. try again later')
export const mutationDuringPagination = () =>
  new PlaidApiError(
    400,
    'TRANSACTIONS_ERROR',
    'TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION',
    'Underlying transaction data changed since last page was fetched. Please restart pagination from last update.'
  )

export const lastUpdatedOutOfRange = () =>
  new PlaidApiError(
    400,
    'INVALID_RESULT',
    'LAST_UPDATED_DATETIME_OUT_OF_RANGE',
    'requested datetime out of range, most recently updated balance is older than min_last_updated_datetime'
  )
export const institutionNotResponding = () =>
  new PlaidApiError(
    400,
    'INSTITUTION_ERROR',
    'INSTITUTION_NOT_RESPONDING',
    'this institution is not currently responding to this request. please try again soon',
    'This financial institution is not currently responding to requests.'
  )

export const webhookNotSet = () =>
  sandboxError(
    'SANDBOX_WEBHOOK_INVALID',
    "Webhook for this item is either not set up, or invalid. Please update the item's webhook and try again."
  )
export const productNotEnabled = (product: string) =>
  sandboxError('SANDBOX_PRODUCT_NOT_ENABLED', `product ${product} is not enabled on this item`)
export const illegalTransferEvent = () =>
  sandboxError(
    'SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID',
    'The provided simulated event type is incompatible with the current transfer status'
  )

export const transferNotCancellable = () => transferError('TRANSFER_NOT_CANCELLABLE', 'transfer is not cancellable')
export const transferAccountUnsupported = () =>
  transferError('TRANSFER_UNSUPPORTED_ACCOUNT_TYPE', 'transfer account type not supported')
export const achClassForbidden = (achClass: string, type: string) =>
  transferError('TRANSFER_FORBIDDEN_ACH_CLASS', `specified ach_class ${achClass} is forbidden for a ${type}`)
export const illegalWebhookType = (code: string, type: string) =>
  invalidField(`webhook_type ${type} is not valid for webhook_code ${code}`)
