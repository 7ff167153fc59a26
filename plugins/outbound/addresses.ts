import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Public addresses at which a cloud answers its own machines only. */
const platformAddresses = new Set(['168.63.129.16'])

/** Everything in IPv6 that is routed on the Internet; the rest is reserved, local, or IPv4 in disguise. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/**
 * Whether an address belongs to the public Internet, so that a server may connect to it on somebody else's behalf. False for loopback, private, link-local,
 * shared, multicast, reserved and metadata addresses, for IPv6 forms that carry an IPv4 address to a translator, and for what is no address at all.
 */
export const isPublicAddress = (text: string): boolean => {
  const bare = text.replace(/^\[|\]$/g, '')
  // The system's own reading, since ipaddr.js also takes short forms such as 1.2.3.
  if (isIP(bare) === 0) return false
  // An IPv4 address mapped into IPv6 is reached over IPv4, so it is judged as such.
  const address = ipaddr.process(bare)
  if (address.range() !== 'unicast' || platformAddresses.has(address.toString())) return false
  return address instanceof ipaddr.IPv6 ? address.match(globalUnicast) : true
}
