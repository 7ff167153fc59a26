import ipaddr from 'ipaddr.js'

/** Whether `text` is an address or a CIDR range that an allow-list can hold. */
export const isAddressRange = (text: string): boolean => (text.includes('/') ? ipaddr.isValidCIDR(text) : ipaddr.isValid(text))

/** Whether `address` lies in one of `ranges` (addresses and CIDR); an IPv4 address mapped into IPv6 counts as the IPv4 address. */
export const addressAllowed = (address: string, ranges: string[]): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return ranges.some((text) => {
    const [range, bits] = text.includes('/') ? ipaddr.parseCIDR(text) : ([ipaddr.process(text), undefined] as const)
    if (range.kind() !== parsed.kind()) return false
    return bits === undefined ? range.toNormalizedString() === parsed.toNormalizedString() : parsed.match(range, bits)
  })
}
