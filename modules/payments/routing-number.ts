const weights = [3, 7, 1, 3, 7, 1, 3, 7, 1]

/**
 * The first two digits that the ABA assigns: 00 the government, 01 to 12 the twelve Federal Reserve districts, 21 to 32 thrift institutions, 61 to 72
 * electronic payments in the same districts. 80, of traveller's cheques, names no account.
 */
const prefix = /^(0\d|1[0-2]|2[1-9]|3[0-2]|6[1-9]|7[0-2])/

/**
 * Checks the prefix and the ABA checksum: 3·(d1 + d4 + d7) + 7·(d2 + d5 + d8) + (d3 + d6 + d9) is a multiple of ten. No bank has the number 0.
 */
export const isRoutingNumber = (digits: string): boolean => {
  if (!/^[0-9]{9}$/.test(digits) || /^0+$/.test(digits) || !prefix.test(digits)) return false
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0)
  return sum % 10 === 0
}
