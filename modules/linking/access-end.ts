/** Reads when the access to an item ends, from Plaid's text; null when it gives no time that exists. */
export const accessEndOf = (time: unknown): Date | null => {
  const ms = typeof time === 'string' ? Date.parse(time) : Number.NaN
  return Number.isNaN(ms) ? null : new Date(ms)
}
