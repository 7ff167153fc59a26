import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Whether `text` is an address or a CIDR range that an allow-list can hold; addresses in their full form, since `10.1` is more likely a slip than 10.0.0.1. */
export const isAddressRange = (text: string): boolean => {
  const [address = '', bits] = text.split('/', 2)
  return isIP(address) !== 0 && !address.includes('%') && (bits === undefined || ipaddr.isValidCIDR(text))
}

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
