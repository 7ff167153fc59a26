export interface StripeErrorBody {
  type: 'api_error' | 'card_error' | 'idempotency_error' | 'invalid_request_error'
  message: string
  code?: string
  param?: string
  doc_url?: string
}

/** A response with Stripe's error object; `status` is the HTTP status. */
export class StripeApiError extends Error {
  readonly status: number
  readonly body: StripeErrorBody

  constructor(status: number, body: StripeErrorBody) {
    super(body.message)
    this.name = 'StripeApiError'
    this.status = status
    this.body =
      body.code === undefined
        ? body
        : { ...body, doc_url: `https://stripe.com/docs/error-codes/${body.code.replaceAll('_', '-')}` }
  }
}

/** 400 `invalid_request_error`. */
export const invalidRequest = (message: string, extra: { code?: string; param?: string } = {}): StripeApiError =>
  new StripeApiError(400, { type: 'invalid_request_error', message, ...extra })

/** `resource_missing`: 404 when the URL names the object, 400 when a parameter does. */
export const resourceMissing = (noun: string, id: string, param: string, status: 400 | 404 = 404): StripeApiError =>
  new StripeApiError(status, {
    type: 'invalid_request_error',
    code: 'resource_missing',
    param,
    message: `No such ${noun}: '${id.slice(0, 255)}'`
  })
