import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { isPublicAddress } from './addresses.ts'

/** The host is, or resolves to, an address that the server does not connect to for a tenant. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
  readonly code = 'ERR_FORBIDDEN_ADDRESS'
  constructor() {
    // Without the address: the tenant must not learn what a private name resolves to.
    super('The host resolves to an address that this server does not connect to. Use a public address.')
  }
}

export type Resolve = (
  hostname: string,
  options: { all: true; family?: number },
  done: (error: Error | null, addresses: LookupAddress[]) => void
) => void

const systemResolve: Resolve = (hostname, options, done) => systemLookup(hostname, options, done)

/** Resolves a host to the addresses that may be connected to. The connection uses exactly these addresses. */
const createLookup =
  (resolve: Resolve, isAllowed: (address: string) => boolean): LookupFunction =>
  (hostname, options, done) => {
    const family = options.family === 4 || options.family === 6 ? { family: options.family } : {}
    resolve(hostname, { all: true, ...family }, (error, found) => {
      // `found` is undefined after an error.
      const addresses = error === null ? found.filter(({ address }) => isAllowed(address)) : []
      const [first] = addresses
      if (error !== null) done(error, '')
      else if (first === undefined) done(new ForbiddenAddress(), '')
      else if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }

const guardedConnector = (connect: buildConnector.connector): buildConnector.connector => {
  const refuse = (done: buildConnector.Callback): void => done(new ForbiddenAddress(), null)
  return (options, done) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    // Node connects to a literal address without a lookup.
    if (isIP(host) !== 0 && !isPublicAddress(host)) return refuse(done)
    connect(options, (...result) => {
      const [error, socket] = result
      if (error !== null) return done(error, null)
      // The address that the socket is actually connected to.
      if (isPublicAddress(socket.remoteAddress ?? '')) return done(null, socket)
      socket.destroy()
      return refuse(done)
    })
  }
}

export interface OutboundOptions {
  /** Whether to allow private addresses, for development or inside a company network. */
  allowPrivate: boolean
  connectTimeoutMs: number
  resolve?: Resolve
}

/**
 * Creates a dispatcher for requests to URLs that a tenant chose. Each request uses a new connection, so that each is checked. The check applies to the connected
 * address, not to the name, which can resolve to another address later. The dispatcher follows no redirects and uses no proxy.
 */
export const createOutbound = ({
  allowPrivate,
  connectTimeoutMs,
  resolve = systemResolve
}: OutboundOptions): Dispatcher => {
  const lookup = createLookup(resolve, allowPrivate ? () => true : isPublicAddress)
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup })
  return new Agent({
    connect: allowPrivate ? connect : guardedConnector(connect),
    pipelining: 0,
    maxHeaderSize: 16_384
  })
}
