import type { Static } from '@sinclair/typebox'
import { fromCents } from '../../plugins/money.ts'
import type * as schemas from '../../spec/generated/payments.ts'
import type { LegRow } from './queries/legs.ts'
import type { RecipientRow } from './queries/recipients.ts'
import type { SubmittedTransfer, TransferEventRow } from './queries/transfers.ts'

/** How these things look on the wire. */
export const toTransferSummary = (transfer: SubmittedTransfer): Static<typeof schemas.TransferSummary> => ({
  id: transfer.id,
  status: transfer.state,
  rail: transfer.rail,
  amount: fromCents(transfer.amount_cents),
  currency: transfer.currency,
  memo: transfer.memo,
  from_account_id: transfer.from_account_id,
  to_account_id: transfer.to_account_id,
  user_id: transfer.user_id,
  environment: transfer.environment,
  estimated_settlement: transfer.estimated_settlement.toISOString(),
  created_at: transfer.created_at.toISOString()
})

const toEvent = ({ state, created_at, reason }: TransferEventRow) => ({
  state,
  created_at: created_at.toISOString(),
  ...(reason === null ? {} : { reason })
})

const toLeg = ({ kind, network, status, reason }: LegRow) => ({
  leg: kind,
  network,
  status,
  ...(reason === null ? {} : { reason })
})

export const toTransfer = (
  transfer: SubmittedTransfer,
  events: TransferEventRow[],
  legs: LegRow[]
): Static<typeof schemas.Transfer> => ({
  ...toTransferSummary(transfer),
  events: events.map(toEvent),
  legs: legs.map(toLeg)
})

export const toRecipient = (recipient: RecipientRow): Static<typeof schemas.Recipient> => ({
  id: recipient.id,
  name: recipient.name,
  routing_number: recipient.routing_number,
  mask: recipient.mask,
  account_type: recipient.account_type,
  user_id: recipient.user_id,
  environment: recipient.environment,
  created_at: recipient.created_at.toISOString()
})
