import { invalidRequest, resourceMissing } from './errors.ts'
import { newId } from './identifiers.ts'
import type { Params } from './params.ts'
import type { LineItemDetails, SessionDetails } from './tables.ts'

export interface NewSession {
  currency: string
  amountCents: number
  expiresAt: Date
  details: SessionDetails
}

const minExpirySeconds = 30 * 60
const maxExpirySeconds = 24 * 60 * 60
const maxAmountCents = 99_999_999
const minAmountCents = 50
const knownCurrencies = new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase()))

/** Validates the parameters of POST /v1/checkout/sessions. Amounts are in the currency's smallest unit. */
export const readNewSession = (params: Params, now: Date): NewSession => {
  const mode = params.choice('mode', ['payment', 'setup', 'subscription']) ?? params.missing('mode')
  if (mode !== 'payment') throw params.invalid('mode', 'The simulator supports `mode` = `payment` only.')
  params.choice('ui_mode', ['hosted_page'])
  for (const type of params.strings('payment_method_types')) {
    if (type !== 'card')
      throw params.invalid('payment_method_types', 'The simulator supports the payment method type `card` only.')
  }
  const { currency, lineItems } = readLineItems(params)
  const details: SessionDetails = {
    lineItems,
    clientReferenceId: params.string('client_reference_id', 200) ?? null,
    metadata: params.metadata('metadata'),
    successUrl: readUrl(params, 'success_url') ?? params.missing('success_url'),
    cancelUrl: readUrl(params, 'cancel_url') ?? null,
    customerEmail: readEmail(params, 'customer_email'),
    locale: params.string('locale', 10) ?? null,
    submitType: params.choice('submit_type', ['auto', 'book', 'donate', 'pay']) ?? null,
    payment: readPaymentData(params)
  }
  details.payment.customerEmail = details.customerEmail
  return { currency, amountCents: totalOf(lineItems, currency), expiresAt: readExpiry(params, now), details }
}

const readPaymentData = (params: Params): SessionDetails['payment'] => {
  const data = params.object('payment_intent_data')
  return {
    description: data?.string('description', 1000) ?? null,
    metadata: data?.metadata('metadata') ?? {},
    receiptEmail: data === undefined ? null : readEmail(data, 'receipt_email'),
    statementDescriptorSuffix: data?.string('statement_descriptor_suffix', 22) ?? null,
    customerEmail: null
  }
}

const readLineItems = (params: Params): { currency: string; lineItems: LineItemDetails[] } => {
  const currencies = new Set<string>()
  const lineItems = params.list('line_items').map((item) => {
    const price = item.string('price')
    if (price !== undefined) throw resourceMissing('price', price, item.name('price'), 400)
    const data = item.requiredObject('price_data')
    const product = data.requiredObject('product_data')
    const currency = data.requiredString('currency', 10).toLowerCase()
    if (!knownCurrencies.has(currency)) throw data.invalid('currency', `Invalid currency: ${currency}`)
    currencies.add(currency)
    product.strings('images', 8)
    product.metadata('metadata')
    return {
      id: newId('li_1'),
      priceId: newId('price_1'),
      productId: newId('prod_', 14),
      name: product.requiredString('name', 250),
      description: product.string('description') ?? null,
      unitAmountCents: data.integer('unit_amount', { min: 0, max: maxAmountCents }) ?? data.missing('unit_amount'),
      quantity: item.integer('quantity', { min: 1, max: 999_999 }) ?? item.missing('quantity')
    }
  })
  const [currency, ...others] = currencies
  if (currency === undefined) return params.missing('line_items')
  if (others.length > 0) throw params.invalid('line_items', 'All line items must use the same currency.')
  return { currency, lineItems }
}

const totalOf = (lineItems: LineItemDetails[], currency: string): number => {
  const total = lineItems.reduce((sum, item) => sum + item.unitAmountCents * item.quantity, 0)
  if (total < minAmountCents) {
    throw invalidRequest(
      `The Checkout Session's total must add up to at least ${minAmountCents} (smallest unit of ${currency}).`,
      { code: 'amount_too_small' }
    )
  }
  if (total > maxAmountCents) {
    throw invalidRequest(
      `The Checkout Session's total must be no more than ${maxAmountCents} (smallest unit of ${currency}).`,
      { code: 'amount_too_large' }
    )
  }
  return total
}

const readExpiry = (params: Params, now: Date): Date => {
  const createdSeconds = Math.floor(now.getTime() / 1000)
  const seconds = params.integer('expires_at', { min: 0, max: 100_000_000_000 })
  if (seconds === undefined) return new Date((createdSeconds + maxExpirySeconds) * 1000)
  if (seconds - createdSeconds < minExpirySeconds) {
    throw params.invalid(
      'expires_at',
      'The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.'
    )
  }
  if (seconds - createdSeconds > maxExpirySeconds) {
    throw params.invalid(
      'expires_at',
      'The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.'
    )
  }
  return new Date(seconds * 1000)
}

/** Accepts http and https only, so that the payment page cannot contain a `javascript:` link. */
const readUrl = (params: Params, key: string): string | undefined => {
  const text = params.string(key)
  if (text === undefined) return undefined
  const valid = /^https?:\/\/[^\s\u0000-\u001f]+$/i.test(text) && URL.canParse(text)
  if (!valid) throw invalidRequest('Not a valid URL', { code: 'url_invalid', param: params.name(key) })
  return text
}

const readEmail = (params: Params, key: string): string | null => {
  const text = params.string(key, 512)
  if (text === undefined) return null
  if (!/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(text)) {
    throw invalidRequest(`Invalid email address: ${text}`, { code: 'email_invalid', param: params.name(key) })
  }
  return text
}
