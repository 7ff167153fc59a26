/** A debit takes the money from its source, a credit brings it to its destination, a refund brings it back. */
export type LegKind = 'debit' | 'credit' | 'refund'

/** `wanted` is decided on and not yet taken by Plaid; the others are Plaid's. */
export type LegStatus =
  'wanted' | 'pending' | 'posted' | 'settled' | 'funds_available' | 'failed' | 'returned' | 'cancelled'

/** The steps of Plaid's transfers (reference of /transfer/event/sync); the database enforces the same ones. */
export const legSteps: Readonly<Record<LegStatus, readonly LegStatus[]>> = {
  wanted: ['pending', 'failed', 'cancelled'],
  pending: ['posted', 'failed', 'cancelled'],
  posted: ['settled', 'returned'],
  settled: ['funds_available', 'returned'],
  funds_available: ['returned'],
  failed: [],
  returned: [],
  cancelled: []
}

const statuses = new Set(Object.keys(legSteps))

/** Whether an event of Plaid's is a step of a transfer; others tell of sweeps and of refunds that this server does not use. */
export const isLegStatus = (type: string): type is LegStatus => statuses.has(type)
