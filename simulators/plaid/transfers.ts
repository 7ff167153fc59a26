import { addBusinessDays, dayMs, dayOf, hourMs, isoDate } from './history/days.ts'
import type { Account } from './account-templates.ts'
import type {
  AchClass,
  Decision,
  TransferFailure,
  TransferNetwork,
  TransferStatus,
  TransferType,
  TransferUser
} from './tables.ts'

/** The transitions of /sandbox/transfer/simulate, from Plaid's reference. */
const steps: Readonly<Record<TransferStatus, readonly TransferStatus[]>> = {
  pending: ['posted', 'failed'],
  posted: ['settled', 'returned'],
  settled: ['funds_available'],
  funds_available: [],
  cancelled: [],
  failed: [],
  returned: []
}

/** Whether a transition is legal. Funds become available on ACH debits only. */
export const isLegalStep = (
  from: TransferStatus,
  to: string,
  transfer: { type: TransferType; network: TransferNetwork }
): to is TransferStatus => {
  if (to === 'funds_available' && !(transfer.type === 'debit' && isAch(transfer.network))) return false
  return steps[from].some((step) => step === to)
}

export const isAch = (network: TransferNetwork): boolean => network === 'ach' || network === 'same-day-ach'

const achClassesOf: Readonly<Record<TransferType, readonly AchClass[]>> = {
  debit: ['ccd', 'ppd', 'tel', 'web'],
  credit: ['ccd', 'ppd']
}

export const allowsAchClass = (type: TransferType, achClass: AchClass): boolean => achClassesOf[type].includes(achClass)

/** Whether Plaid moves money from and to this type of account. */
export const isTransferable = (account: Account): boolean =>
  ['checking', 'savings', 'cash management'].includes(account.subtype ?? '')

/**
 * The sandbox's decision (reference of /transfer/authorization/create): a balance of zero is a risk, a balance below the amount
 * is NSF, a broken login needs its user, and a migrated account is approved. Credits do not depend on the balance.
 */
export const decide = (
  account: Account,
  type: TransferType,
  amountCents: number,
  item: { loginRequired: boolean; migrated: boolean }
): { decision: Decision; rationaleCode: string | null } => {
  if (item.loginRequired) return { decision: 'user_action_required', rationaleCode: 'ITEM_LOGIN_REQUIRED' }
  if (item.migrated) return { decision: 'approved', rationaleCode: 'MIGRATED_ACCOUNT_ITEM' }
  const { available } = account.balances
  if (type === 'debit' && available !== null) {
    if (available === 0) return { decision: 'declined', rationaleCode: 'RISK' }
    if (Math.round(available * 100) < amountCents) return { decision: 'declined', rationaleCode: 'NSF' }
  }
  return { decision: 'approved', rationaleCode: null }
}

const rationales: Readonly<Record<string, string>> = {
  ITEM_LOGIN_REQUIRED:
    'Unable to collect the account information due to Item staleness. Can be resolved by using Link in update mode.',
  MIGRATED_ACCOUNT_ITEM: 'Item created via the /transfer/migrate_account endpoint, limited information available.',
  NSF: 'Transaction likely to result in a return due to insufficient funds.',
  RISK: 'Transaction is high-risk.'
}

/** The next step of a transfer that moves by the clock, and its time. */
export const nextAutomaticStep = (
  status: TransferStatus,
  since: Date,
  transfer: { type: TransferType; network: TransferNetwork }
): { status: TransferStatus; at: Date } | null => {
  const after = (businessDays: number) =>
    new Date(addBusinessDays(dayOf(since.getTime()), businessDays) * dayMs + 14 * hourMs)
  const instantly = !isAch(transfer.network)
  switch (status) {
    case 'pending':
      return { status: 'posted', at: instantly ? since : after(1) }
    case 'posted':
      return { status: 'settled', at: instantly ? since : after(transfer.network === 'ach' ? 1 : 0) }
    case 'settled':
      return isLegalStep('settled', 'funds_available', transfer) ? { status: 'funds_available', at: after(3) } : null
    default:
      return null
  }
}

/** A transfer with the fields of its authorization. */
export interface TransferRecord {
  transfer_id: string
  authorization_id: string
  account_id: string
  type: TransferType
  network: TransferNetwork
  ach_class: AchClass | null
  amount_cents: number
  legal_user: TransferUser
  description: string
  metadata: Record<string, string> | null
  status: TransferStatus
  failure: TransferFailure | null
  created_at: Date
}

export interface AuthorizationRecord {
  authorization_id: string
  account_id: string
  type: TransferType
  network: TransferNetwork
  ach_class: AchClass | null
  amount_cents: number
  legal_user: TransferUser
  decision: Decision
  rationale_code: string | null
  created_at: Date
}

const dollars = (cents: number) => `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}`

const common = (record: AuthorizationRecord | TransferRecord) => ({
  ...(record.ach_class === null ? {} : { ach_class: record.ach_class }),
  account_id: record.account_id,
  funding_account_id: null,
  ledger_id: null,
  type: record.type,
  user: record.legal_user,
  amount: dollars(record.amount_cents),
  network: record.network,
  origination_account_id: '',
  iso_currency_code: 'USD',
  originator_client_id: null,
  credit_funds_source: record.type === 'credit' ? 'sweep' : null
})

/** Plaid's authorization object. */
export const authorizationBody = (record: AuthorizationRecord) => ({
  id: record.authorization_id,
  created: record.created_at.toISOString(),
  decision: record.decision,
  decision_rationale:
    record.rationale_code === null
      ? null
      : { code: record.rationale_code, description: rationales[record.rationale_code] ?? record.rationale_code },
  guarantee_decision: null,
  guarantee_decision_rationale: null,
  payment_risk: null,
  // The simulator never reduces an amount.
  proposed_transfer: { ...common(record), requested_amount: dollars(record.amount_cents) }
})

/** Plaid's transfer object. */
export const transferBody = (record: TransferRecord) => {
  const inBusinessDays = (count: number) => isoDate(addBusinessDays(dayOf(record.created_at.getTime()), count) * dayMs)
  const ach = isAch(record.network)
  return {
    id: record.transfer_id,
    authorization_id: record.authorization_id,
    ...common(record),
    description: record.description,
    created: record.created_at.toISOString(),
    status: record.status,
    sweep_status: null,
    cancellable: record.status === 'pending',
    failure_reason: record.failure,
    metadata: record.metadata,
    guarantee_decision: null,
    guarantee_decision_rationale: null,
    // Two banking days for an ordinary return, sixty calendar days for an unauthorized debit (Nacha's windows).
    standard_return_window: ach ? inBusinessDays(3) : null,
    unauthorized_return_window: ach ? isoDate(record.created_at.getTime() + 61 * dayMs) : null,
    expected_settlement_date: inBusinessDays(record.network === 'ach' ? 2 : ach ? 1 : 0),
    expected_funds_available_date: ach && record.type === 'debit' ? inBusinessDays(5) : null,
    refunds: [],
    recurring_transfer_id: null,
    network_trace_id: null
  }
}

/** Plaid's transfer event object. */
export const eventBody = (event: {
  event_id: number
  event_type: TransferStatus
  failure: TransferFailure | null
  created_at: Date
  transfer_id: string
  account_id: string
  type: TransferType
  amount_cents: number
}) => ({
  event_id: event.event_id,
  timestamp: event.created_at.toISOString(),
  event_type: event.event_type,
  account_id: event.account_id,
  funding_account_id: null,
  ledger_id: null,
  transfer_id: event.transfer_id,
  transfer_type: event.type,
  transfer_amount: dollars(event.amount_cents),
  origination_account_id: null,
  originator_client_id: null,
  failure_reason: event.failure,
  sweep_id: null,
  sweep_amount: null,
  refund_id: null
})
