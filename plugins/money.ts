import { data as currencies } from 'currency-codes'

/**
 * Converts an amount from the wire into integer minor units (cents).
 *
 * Validation has already rejected amounts with more than two decimals, so rounding only removes the error of binary
 * floating point: 78.45 × 100 is 7845.000000000001.
 */
export const toCents = (amount: number): number => Math.round(amount * 100)

/** Converts integer minor units (cents) into an amount for the wire. */
export const fromCents = (amountCents: number): number => amountCents / 100

const usualDecimals = 2
const decimalsByCode = new Map(currencies.map(({ code, digits }) => [code, digits]))

/** The decimals of a currency by ISO 4217, such as 2 for USD, 0 for JPY and 3 for KWD; 2 when it has no ISO code. */
export const decimalsOf = (currency: string | null): number => decimalsByCode.get(currency ?? '') ?? usualDecimals

/** Moves the decimal point by changing the exponent, which is exact, unlike multiplication: 1.005 × 100 is 100.49999999999999. */
const shift = (amount: number, places: number): number => {
  const [digits, exponent = '0'] = String(amount).split('e')
  return Number(`${digits}e${Number(exponent) + places}`)
}

/** Converts an amount into integer minor units of its currency, half a unit away from zero. Its size is not checked. */
export const toMinorUnits = (amount: number, currency: string | null): number =>
  Math.sign(amount) * Math.round(shift(Math.abs(amount), decimalsOf(currency))) || 0

/** Converts integer minor units of a currency into an amount for the wire. */
export const fromMinorUnits = (amount: number, currency: string | null): number => shift(amount, -decimalsOf(currency))
