/**
 * Converts an amount from the wire into integer minor units (cents).
 *
 * Validation has already rejected amounts with more than two decimals, so rounding only removes the error of binary
 * floating point: 78.45 × 100 is 7845.000000000001.
 */
export const toCents = (amount: number): number => Math.round(amount * 100)

/** Converts integer minor units (cents) into an amount for the wire. */
export const fromCents = (amountCents: number): number => amountCents / 100
