import { isIP, isIPv4, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

/** Whether `text` is a valid address or CIDR range for an allow-list. Rejects short forms: `10.1` is more likely a typo than 10.0.0.1. */
export const isAddressRange = (text: string): boolean => {
  const [address = '', bits] = text.split('/', 2)
  return isIP(address) !== 0 && !address.includes('%') && (bits === undefined || ipaddr.isValidCIDR(text))
}

/** A range as ipaddr.js matches it. IPv4-mapped IPv6 ranges become the IPv4 range that they mean. */
const parseRange = (text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] => {
  if (!text.includes('/')) {
    const address = ipaddr.process(text)
    return [address, address.kind() === 'ipv4' ? 32 : 128]
  }
  const [range, bits] = ipaddr.parseCIDR(text)
  return range instanceof ipaddr.IPv6 && range.isIPv4MappedAddress() && bits >= 96
    ? [range.toIPv4Address(), bits - 96]
    : [range, bits]
}

/** Whether `address` is in one of `ranges` (addresses and CIDR). An IPv4-mapped IPv6 address counts as IPv4. */
export const isAddressAllowed = (address: string, ranges: string[]): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return ranges.some((text) => {
    const [range, bits] = parseRange(text)
    return range.kind() === parsed.kind() && parsed.match(range, bits)
  })
}

/** The address in `ip`, `ip:port` or `[v6]:port`, as proxies write it; undefined for other text. */
export const parseForwarded = (text: string): string | undefined => {
  const bare = text.trim()
  if (isIP(bare) !== 0) return bare
  const [, address, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(bare) ?? /^([\d.]+):(\d{1,5})$/.exec(bare) ?? []
  if (address === undefined || Number(port ?? 0) > 65_535) return undefined
  return isIP(address) !== 0 && isIPv6(address) === bare.startsWith('[') ? address : undefined
}

/** The client's address: the forwarded one, or the connection's when the proxy forwarded no valid address. */
export const addressOf = (request: Pick<FastifyRequest, 'ip' | 'socket'>): string =>
  parseForwarded(request.ip) ?? request.socket.remoteAddress ?? ''

/** The rate limit key of an address: IPv6 addresses count by /64, which one subscriber has. */
export const addressKey = (address: string): string => {
  // Almost every request has one. ipaddr.js takes longer to parse it than the limiter takes to count it.
  if (isIPv4(address)) return address
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`).toString()}/64`
}
