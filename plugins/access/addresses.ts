import { isIP, isIPv6 } from 'node:net'
import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

/** Whether `text` is an address or a CIDR range that an allow-list can hold; addresses in full, because `10.1` is more likely a slip than 10.0.0.1. */
export const isAddressRange = (text: string): boolean => {
  const [address = '', bits] = text.split('/', 2)
  return isIP(address) !== 0 && !address.includes('%') && (bits === undefined || ipaddr.isValidCIDR(text))
}

/** Whether `address` lies in one of `ranges` (addresses and CIDR); an IPv4 address mapped into IPv6 counts as the IPv4 address. */
export const isAddressAllowed = (address: string, ranges: string[]): boolean => {
  if (!ipaddr.isValid(address)) return false
  const parsed = ipaddr.process(address)
  return ranges.some((text) => {
    const [range, bits] = text.includes('/') ? ipaddr.parseCIDR(text) : ([ipaddr.process(text), undefined] as const)
    if (range.kind() !== parsed.kind()) return false
    return bits === undefined ? range.toNormalizedString() === parsed.toNormalizedString() : parsed.match(range, bits)
  })
}

/** The address in `ip`, `ip:port` or `[v6]:port`, as proxies write it; undefined for anything else. */
export const parseForwarded = (text: string): string | undefined => {
  const bare = text.trim()
  if (isIP(bare) !== 0) return bare
  const [, address, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(bare) ?? /^([\d.]+):(\d{1,5})$/.exec(bare) ?? []
  if (address === undefined || Number(port ?? 0) > 65_535) return undefined
  return isIP(address) !== 0 && isIPv6(address) === bare.startsWith('[') ? address : undefined
}

/** The address of the client; the connection's own where a proxy forwarded none that can be read. */
export const addressOf = (request: Pick<FastifyRequest, 'ip' | 'socket'>): string =>
  parseForwarded(request.ip) ?? request.socket.remoteAddress ?? ''

/** What an address counts as for limits: IPv6 by its /64, because one subscriber holds a whole one. */
export const addressKey = (address: string): string => {
  if (!ipaddr.isValid(address)) return address
  const parsed = ipaddr.process(address)
  if (parsed.kind() === 'ipv4') return parsed.toString()
  return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/64`).toString()}/64`
}
