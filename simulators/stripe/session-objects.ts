import type { Stripe } from 'stripe'
import type { LineItemDetails, SessionRow } from './tables.ts'

/** A decimal is a string on the wire, unlike in the package's type. */
type WirePrice = Omit<Stripe.Price, 'unit_amount_decimal'> & { unit_amount_decimal: string | null }
type WireLineItem = Omit<Stripe.LineItem, 'price'> & { price: WirePrice }
type WireSession = Omit<Stripe.Checkout.Session, 'line_items'>

/** Seconds since 1970, Stripe's format of times. */
export const unixSeconds = (date: Date): number => Math.floor(date.getTime() / 1000)

/** `checkout.session` of `apiVersion`. `baseUrl` is that of the payment pages. */
export const sessionObject = (row: SessionRow, baseUrl: string): WireSession => {
  const paid = row.status === 'complete'
  return {
    ...unusedSessionFields(),
    id: row.id,
    object: 'checkout.session',
    amount_subtotal: row.amount_cents,
    amount_total: row.amount_cents,
    cancel_url: row.details.cancelUrl,
    client_reference_id: row.details.clientReferenceId,
    created: unixSeconds(row.created_at),
    currency: row.currency,
    customer_details: customerDetails(row),
    customer_email: row.details.customerEmail,
    expires_at: unixSeconds(row.expires_at),
    locale: row.details.locale,
    metadata: row.details.metadata,
    payment_intent: row.payment_intent_id,
    payment_status: paid ? 'paid' : 'unpaid',
    status: row.status,
    submit_type: row.details.submitType,
    success_url: row.details.successUrl,
    total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
    url: row.status === 'open' ? `${baseUrl}/c/pay/${row.id}` : null
  }
}

const customerDetails = (row: SessionRow): Stripe.Checkout.Session.CustomerDetails | null => {
  if (row.status !== 'complete' && row.details.customerEmail === null) return null
  return {
    address: null,
    business_name: null,
    email: row.details.customerEmail,
    individual_name: null,
    name: null,
    phone: null,
    tax_exempt: 'none',
    tax_ids: null
  }
}

/** The fields that the simulator never fills. */
const unusedSessionFields = () =>
  ({
    adaptive_pricing: { enabled: false },
    after_expiration: null,
    allow_promotion_codes: null,
    allowed_payment_method_types: null,
    automatic_tax: { enabled: false, liability: null, provider: null, status: null },
    billing_address_collection: null,
    client_secret: null,
    collected_information: null,
    consent: null,
    consent_collection: null,
    currency_conversion: null,
    custom_fields: [],
    custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
    customer: null,
    customer_account: null,
    customer_creation: 'if_required',
    discounts: [],
    integration_identifier: null,
    invoice: null,
    invoice_creation: null,
    livemode: false,
    managed_payments: null,
    mode: 'payment',
    origin_context: null,
    payment_link: null,
    payment_method_collection: 'if_required',
    payment_method_configuration_details: null,
    payment_method_options: { card: { request_three_d_secure: 'automatic' } },
    payment_method_types: ['card'],
    permissions: null,
    phone_number_collection: { enabled: false },
    recovered_from: null,
    saved_payment_method_options: null,
    setup_intent: null,
    shipping_address_collection: null,
    shipping_cost: null,
    shipping_options: [],
    subscription: null,
    ui_mode: 'hosted_page',
    wallet_options: null
  }) satisfies Partial<WireSession>

/** The session's line items as Stripe lists them. */
export const lineItemList = (row: SessionRow) => ({
  object: 'list' as const,
  data: row.details.lineItems.map((item) => lineItemObject(item, row)),
  has_more: false,
  url: `/v1/checkout/sessions/${row.id}/line_items`
})

const lineItemObject = (item: LineItemDetails, row: SessionRow): WireLineItem => {
  const amount = item.unitAmountCents * item.quantity
  return {
    id: item.id,
    object: 'item',
    adjustable_quantity: null,
    amount_discount: 0,
    amount_subtotal: amount,
    amount_tax: 0,
    amount_total: amount,
    currency: row.currency,
    description: item.name,
    metadata: {},
    price: {
      id: item.priceId,
      object: 'price',
      active: false,
      billing_scheme: 'per_unit',
      created: unixSeconds(row.created_at),
      currency: row.currency,
      custom_unit_amount: null,
      livemode: false,
      lookup_key: null,
      metadata: {},
      nickname: null,
      product: item.productId,
      recurring: null,
      tax_behavior: 'unspecified',
      tiers_mode: null,
      transform_quantity: null,
      type: 'one_time',
      unit_amount: item.unitAmountCents,
      unit_amount_decimal: String(item.unitAmountCents)
    },
    quantity: item.quantity
  }
}
