import type { Static } from '@sinclair/typebox'
import { fromCents } from '../../plugins/money.ts'
import type * as schemas from '../../spec/generated/payments.ts'
import { arrivalOf, movementsOf, railOfTransfer, type Movement } from './itinerary.ts'
import type { Leg } from './queries/legs.ts'
import type { Recipient } from './queries/recipients.ts'
import type { SubmittedTransfer, TransferEvent } from './queries/transfers.ts'
import { railOf } from './rails.ts'

const toLeg = ({ kind, network, status, reason, estimatedSettlement }: Movement) => ({
  leg: kind,
  direction: kind === 'debit' ? ('debit' as const) : ('credit' as const),
  rail: railOf(network),
  network,
  status,
  estimated_settlement: estimatedSettlement.toISOString(),
  ...(reason === null ? {} : { reason })
})

/** @param legs of the transfer, oldest first */
export const toTransferSummary = (
  transfer: SubmittedTransfer,
  legs: readonly Leg[]
): Static<typeof schemas.TransferSummary> => {
  const movements = movementsOf(transfer, legs)
  return {
    id: transfer.id,
    status: transfer.state,
    rail: railOfTransfer(transfer, movements),
    amount: fromCents(transfer.amountCents),
    currency: transfer.currency,
    memo: transfer.memo,
    from_account_id: transfer.fromAccountId,
    to_account_id: transfer.toAccountId,
    user_id: transfer.userId,
    environment: transfer.environment,
    estimated_settlement: arrivalOf(movements).toISOString(),
    created_at: transfer.createdAt.toISOString(),
    legs: movements.map(toLeg)
  }
}

const toEvent = ({ state, createdAt, reason }: TransferEvent) => ({
  state,
  created_at: createdAt.toISOString(),
  ...(reason === null ? {} : { reason })
})

export const toTransfer = (
  transfer: SubmittedTransfer,
  events: TransferEvent[],
  legs: Leg[]
): Static<typeof schemas.Transfer> => ({
  ...toTransferSummary(transfer, legs),
  events: events.map(toEvent)
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
