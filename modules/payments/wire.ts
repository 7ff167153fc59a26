import type { Static } from '@sinclair/typebox'
import { fromCents } from '../../plugins/money.ts'
import type * as schemas from '../../spec/generated/payments.ts'
import type { Leg } from './queries/legs.ts'
import type { Recipient } from './queries/recipients.ts'
import type { SubmittedTransfer, TransferEvent } from './queries/transfers.ts'

export const toTransferSummary = (transfer: SubmittedTransfer): Static<typeof schemas.TransferSummary> => ({
  id: transfer.id,
  status: transfer.state,
  rail: transfer.rail,
  amount: fromCents(transfer.amountCents),
  currency: transfer.currency,
  memo: transfer.memo,
  from_account_id: transfer.fromAccountId,
  to_account_id: transfer.toAccountId,
  user_id: transfer.userId,
  environment: transfer.environment,
  estimated_settlement: transfer.estimatedSettlement.toISOString(),
  created_at: transfer.createdAt.toISOString()
})

const toEvent = ({ state, createdAt, reason }: TransferEvent) => ({
  state,
  created_at: createdAt.toISOString(),
  ...(reason === null ? {} : { reason })
})

const toLeg = ({ kind, network, status, reason }: Leg) => ({
  leg: kind,
  network,
  status,
  ...(reason === null ? {} : { reason })
})

export const toTransfer = (
  transfer: SubmittedTransfer,
  events: TransferEvent[],
  legs: Leg[]
): Static<typeof schemas.Transfer> => ({
  ...toTransferSummary(transfer),
  events: events.map(toEvent),
  legs: legs.map(toLeg)
})

export const toRecipient = (recipient: Recipient): Static<typeof schemas.Recipient> => ({
  id: recipient.id,
  name: recipient.name,
  routing_number: recipient.routingNumber,
  mask: recipient.mask,
  account_type: recipient.accountType,
  user_id: recipient.userId,
  environment: recipient.environment,
  created_at: recipient.createdAt.toISOString()
})
