const weights = [3, 7, 1, 3, 7, 1, 3, 7, 1]

/** Checks the ABA checksum: 3·(d1 + d4 + d7) + 7·(d2 + d5 + d8) + (d3 + d6 + d9) is a multiple of ten. No bank has the number 0. */
export const isRoutingNumber = (digits: string): boolean => {
  if (!/^[0-9]{9}$/.test(digits) || /^0+$/.test(digits)) return false
  const sum = weights.reduce((total, weight, index) => total + weight * Number(digits[index]), 0)
  return sum % 10 === 0
}
