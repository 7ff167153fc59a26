import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

/** Public addresses of cloud platforms that only the cloud's own machines can reach. */
const platformAddresses = new Set(['168.63.129.16'])

/** The IPv6 range that is routed on the Internet. The rest is reserved, local, or embeds IPv4. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3]

/**
 * Whether an address is on the public Internet, so that the server may connect to it for a tenant. False for loopback, private, link-local, shared, multicast,
 * reserved and metadata addresses, for IPv6 addresses that embed IPv4 for a translator, and for invalid addresses.
 */
export const isPublicAddress = (text: string): boolean => {
  const bare = text.replace(/^\[|\]$/g, '')
  // ipaddr.js also accepts short forms such as 1.2.3.
  if (isIP(bare) === 0) return false
  // `process` converts an IPv4-mapped IPv6 address to IPv4, which the connection uses.
  const address = ipaddr.process(bare)
  if (address.range() !== 'unicast' || platformAddresses.has(address.toString())) return false
  return address instanceof ipaddr.IPv6 ? address.match(globalUnicast) : true
}
