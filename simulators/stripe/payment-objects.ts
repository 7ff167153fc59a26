import type { Stripe } from 'stripe'
import { unixSeconds } from './session-objects.ts'
import type { DisputeRow, PaymentRow, RefundRow } from './tables.ts'

const disputeAnswerDays = 7

/** A stable id for an object that the simulator does not store, derived from the id of one that it stores. */
const derivedId = (prefix: string, id: string): string => prefix + id.slice(id.indexOf('_') + 1)

/** `payment_intent`, always succeeded, because it exists only once a session is paid. */
export const paymentIntentObject = (row: PaymentRow): Stripe.PaymentIntent => ({
  id: row.payment_intent_id,
  object: 'payment_intent',
  allowed_payment_method_types: null,
  amount: row.amount_cents,
  amount_capturable: 0,
  amount_details: { tip: {} },
  amount_received: row.amount_cents,
  application: null,
  application_fee_amount: null,
  automatic_payment_methods: null,
  canceled_at: null,
  cancellation_reason: null,
  capture_method: 'automatic_async',
  client_secret: `${row.payment_intent_id}_secret_${derivedId('', row.charge_id)}`,
  confirmation_method: 'automatic',
  created: unixSeconds(row.created_at),
  currency: row.currency,
  customer: null,
  customer_account: null,
  description: row.details.description,
  excluded_payment_method_types: null,
  last_payment_error: null,
  latest_charge: row.charge_id,
  livemode: false,
  managed_payments: null,
  metadata: row.details.metadata,
  next_action: null,
  on_behalf_of: null,
  payment_method: derivedId('pm_', row.payment_intent_id),
  payment_method_configuration_details: null,
  payment_method_options: {
    card: { installments: null, mandate_options: null, network: null, request_three_d_secure: 'automatic' }
  },
  payment_method_types: ['card'],
  payment_record: null,
  processing: null,
  receipt_email: row.details.receiptEmail,
  review: null,
  setup_future_usage: null,
  shipping: null,
  source: null,
  statement_descriptor: null,
  statement_descriptor_suffix: row.details.statementDescriptorSuffix,
  status: 'succeeded',
  transfer_data: null,
  transfer_group: null
})

/** `charge`: captured in full, with the amount refunded so far. */
export const chargeObject = (row: PaymentRow): Stripe.Charge => ({
  id: row.charge_id,
  object: 'charge',
  amount: row.amount_cents,
  amount_captured: row.amount_cents,
  amount_refunded: row.refunded_cents,
  application: null,
  application_fee: null,
  application_fee_amount: null,
  balance_transaction: derivedId('txn_', row.charge_id),
  billing_details: {
    address: emptyAddress(),
    email: row.details.customerEmail,
    name: null,
    phone: null,
    tax_id: null
  },
  calculated_statement_descriptor: 'SIMULATOR',
  captured: true,
  created: unixSeconds(row.created_at),
  currency: row.currency,
  customer: null,
  description: row.details.description,
  disputed: row.disputed,
  failure_balance_transaction: null,
  failure_code: null,
  failure_message: null,
  fraud_details: {},
  livemode: false,
  metadata: row.details.metadata,
  on_behalf_of: null,
  outcome: {
    advice_code: null,
    network_advice_code: null,
    network_decline_code: null,
    network_status: 'approved_by_network',
    reason: null,
    risk_level: 'normal',
    risk_score: 1,
    seller_message: 'Payment complete.',
    type: 'authorized'
  },
  paid: true,
  payment_intent: row.payment_intent_id,
  payment_method: derivedId('pm_', row.payment_intent_id),
  payment_method_details: { type: 'card', card: testCard(row.amount_cents) },
  receipt_email: row.details.receiptEmail,
  receipt_number: null,
  receipt_url: null,
  refunded: row.refunded_cents === row.amount_cents,
  review: null,
  shipping: null,
  source: null,
  source_transfer: null,
  statement_descriptor: null,
  statement_descriptor_suffix: row.details.statementDescriptorSuffix,
  status: 'succeeded',
  transfer_data: null,
  transfer_group: null
})

/** `refund`: card refunds succeed immediately in test mode; the bank can return them later. */
export const refundObject = (row: RefundRow): Stripe.Refund => ({
  id: row.id,
  object: 'refund',
  amount: row.amount_cents,
  balance_transaction: derivedId('txn_', row.id),
  charge: row.charge_id,
  created: unixSeconds(row.created_at),
  currency: row.currency,
  customer: null,
  customer_account: null,
  destination_details: {
    type: 'card',
    card: { reference_status: 'pending', reference_type: 'acquirer_reference_number', type: 'refund' }
  },
  metadata: row.metadata,
  payment_intent: row.payment_intent_id,
  payment_method: derivedId('pm_', row.payment_intent_id),
  reason: row.reason,
  receipt_number: null,
  source_transfer_reversal: null,
  status: row.status,
  transfer_reversal: null,
  ...(row.status === 'failed'
    ? { failure_balance_transaction: derivedId('txn_f', row.id), failure_reason: 'expired_or_canceled_card' }
    : {})
})

/** `dispute`: open, won or lost. */
export const disputeObject = (row: DisputeRow): Stripe.Dispute => ({
  id: row.id,
  object: 'dispute',
  amount: row.amount_cents,
  balance_transactions: [],
  charge: row.charge_id,
  created: unixSeconds(row.created_at),
  currency: row.currency,
  enhanced_eligibility_types: [],
  evidence: emptyEvidence(),
  evidence_details: {
    due_by: unixSeconds(row.created_at) + disputeAnswerDays * 86_400,
    enhanced_eligibility: {},
    has_evidence: false,
    past_due: false,
    submission_count: 0,
    submission_method: 'not_submitted'
  },
  intended_submission_method: null,
  is_charge_refundable: false,
  livemode: false,
  metadata: {},
  payment_intent: row.payment_intent_id,
  payment_method_details: {
    type: 'card',
    card: { brand: 'visa', case_type: 'chargeback', network: 'visa', network_reason_code: '10.4' }
  },
  reason: row.reason,
  status: row.status
})

const testCard = (amountCents: number): Stripe.Charge.PaymentMethodDetails.Card => ({
  amount_authorized: amountCents,
  authorization_code: null,
  brand: 'visa',
  checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
  country: 'US',
  electronic_commerce_indicator: null,
  exp_month: 12,
  exp_year: 2034,
  funding: 'credit',
  installments: null,
  last4: '4242',
  mandate: null,
  network: 'visa',
  network_transaction_id: null,
  regulated_status: 'unregulated',
  three_d_secure: null,
  transaction_link_id: null,
  wallet: null
})

const emptyAddress = (): Stripe.Address => ({
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null
})

const emptyEvidence = (): Stripe.Dispute.Evidence => ({
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null
})
