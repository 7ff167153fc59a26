/** A debit takes the money from the source, a credit pays the destination, a refund pays the source back. */
export type LegKind = 'debit' | 'credit' | 'refund'

/** `wanted`: to be sent, not yet accepted by Plaid. The other statuses are Plaid's. */
export type LegStatus =
  'wanted' | 'pending' | 'posted' | 'settled' | 'funds_available' | 'failed' | 'returned' | 'cancelled'

/** The steps of Plaid's transfers (reference of /transfer/event/sync); a trigger enforces the same steps. */
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

/** Whether a Plaid event is a step of a transfer. Other events concern sweeps and Plaid refunds, which this server does not use. */
export const isLegStatus = (type: string): type is LegStatus => statuses.has(type)
