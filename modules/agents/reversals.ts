import type { Reversal } from './stripe-events.ts'

/** A payment in US cents, and what its buyer saw. */
export interface Payment {
  amountCents: number
  /** In the smallest unit of its currency. */
  presentedAmount: number | null
  presentedCurrency: string | null
}

export type StoredReversal = Pick<Reversal, 'kind' | 'amount' | 'currency' | 'isVoid'>

/** An amount in US cents. An amount in a currency that is neither the order's nor the buyer's counts as the whole payment. */
const toUsdCents = (payment: Payment, { amount, currency }: StoredReversal): number => {
  if (currency === 'usd') return amount
  const { amountCents, presentedAmount, presentedCurrency } = payment
  if (currency !== presentedCurrency || presentedAmount === null || presentedAmount === 0) return amountCents
  return Math.round((amount * amountCents) / presentedAmount)
}

/**
 * What refunds and disputes took from a payment, in US cents, at most the payment. The result does not depend on the order of their events.
 * A charge reports the sum of its refunds, perhaps with failed ones; each refund reports its own amount. Both are used, because events can get lost.
 */
export const reversedCentsOf = (payment: Payment, reversals: readonly StoredReversal[]): number => {
  const sumOf = (kind: StoredReversal['kind'], isVoid: boolean): number =>
    reversals
      .filter((reversal) => reversal.kind === kind && reversal.isVoid === isVoid)
      .reduce((sum, reversal) => sum + toUsdCents(payment, reversal), 0)
  const refunded = Math.max(sumOf('refund', false), sumOf('charge', false) - sumOf('refund', true))
  return Math.min(payment.amountCents, refunded + sumOf('dispute', false))
}
