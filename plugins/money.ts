/**
 * Converts an amount from the wire into integer minor units (cents).
 *
 * The specification has already refused amounts with more than two decimals, so rounding only removes the error of binary
 * floating point: 78.45 × 100 is 7845.000000000001.
 */
export const toCents = (amount: number): number => Math.round(amount * 100)

/** Converts integer minor units (cents) into the amount that goes on the wire. */
export const fromCents = (amountCents: number): number => amountCents / 100
