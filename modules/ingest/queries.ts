import type { Trx } from '../../plugins/database/types.ts'
import './tables.ts'

/** One thing that a partner's end-user did. */
export interface UsageEvent {
  partnerId: string
  type: 'user_signup' | 'account_link' | 'transaction'
  /** The partner's own id of its end-user. */
  userId?: string | undefined
  /** Only of transactions: the size in US cents. */
  amountCents?: number | undefined
  category?: string | undefined
  institution?: string | undefined
  occurredAt: Date
  /** The same id from the same partner counts once. */
  eventId?: string | undefined
}

/**
 * Records usage events in the transaction of what they tell of; those whose id was seen before are left out.
 * @returns how many were new.
 */
export const recordUsage = async (db: Trx, events: UsageEvent[], receivedAt: Date): Promise<number> => {
  if (events.length === 0) return 0
  const { numInsertedOrUpdatedRows } = await db
    .insertInto('usage_events')
    .values(
      events.map((event) => ({
        partner_id: event.partnerId,
        event_type: event.type,
        user_id: event.userId ?? null,
        amount_cents: event.amountCents ?? null,
        category: event.category ?? null,
        institution: event.institution ?? null,
        occurred_at: event.occurredAt,
        event_id: event.eventId ?? null,
        received_at: receivedAt
      }))
    )
    .onConflict((conflict) => conflict.columns(['partner_id', 'event_id']).doNothing())
    .executeTakeFirstOrThrow()
  return Number(numInsertedOrUpdatedRows ?? 0n)
}
