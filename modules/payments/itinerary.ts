import type { LegKind, LegStatus } from './leg-states.ts'
import type { Leg } from './queries/legs.ts'
import type { Transfer } from './queries/transfers.ts'
import { networkOf, railOf, slowestOf, type Rail } from './rails.ts'
import { settlementOf, type Network } from './settlement-calendar.ts'

/** A movement of a transfer as its partner sees it: one that has begun, or the credit that follows the debit. */
export interface Movement {
  kind: LegKind
  network: Network
  status: LegStatus
  reason: string | null
  /** When the money of this movement arrives. */
  estimatedSettlement: Date
}

/** When a movement is handed to its network: the debit at once, later ones when their turn or their next attempt comes. */
const sentAt = ({ kind, createdAt, authorizedAt, retryAt }: Leg): Date =>
  kind === 'debit' ? createdAt : (authorizedAt ?? retryAt ?? createdAt)

const isOver = ({ status }: Leg): boolean => status === 'failed' || status === 'returned' || status === 'cancelled'

/**
 * The movements of a transfer in their order: those that have begun, and the credit while the debit has not settled. The credit begins when the debit has settled.
 * @param legs oldest first, with the debit
 */
export const movementsOf = ({ creditRail }: Pick<Transfer, 'creditRail'>, legs: readonly Leg[]): Movement[] => {
  const begun = legs.map((leg) => ({ ...leg, estimatedSettlement: settlementOf(leg.network, sentAt(leg)) }))
  const [debit, ...later] = begun
  if (debit === undefined || later.length > 0 || isOver(debit)) return begun
  const network = networkOf(creditRail)
  const estimatedSettlement = settlementOf(network, debit.estimatedSettlement)
  return [debit, { kind: 'credit', network, status: 'wanted', reason: null, estimatedSettlement }]
}

/** When the money of a transfer arrives: with the last of its movements. */
export const arrivalOf = (movements: readonly Movement[]): Date =>
  new Date(Math.max(...movements.map(({ estimatedSettlement }) => estimatedSettlement.getTime())))

/** The slowest rail on the way from the source to the destination; it says how long the whole transfer takes. */
export const railOfTransfer = ({ creditRail }: Pick<Transfer, 'creditRail'>, movements: readonly Movement[]): Rail =>
  slowestOf([creditRail, ...movements.filter(({ kind }) => kind === 'debit').map(({ network }) => railOf(network))])
