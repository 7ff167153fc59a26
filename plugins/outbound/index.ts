import type { LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { isPublicAddress } from './addresses.ts'
import { createResolver, UnresolvedName, type Resolve } from './resolver.ts'

export { UnresolvedName, type Resolve } from './resolver.ts'

/** The host is, or resolves to, an address that the server does not connect to for a tenant. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
  readonly code = 'ERR_FORBIDDEN_ADDRESS'
  constructor() {
    // Without the address: the tenant must not learn what a private name resolves to.
    super('The host resolves to an address that this server does not connect to. Use a public address.')
  }
}

type Filter = (addresses: LookupAddress[]) => LookupAddress[]

/** @throws ForbiddenAddress when none is public */
const publicOnly: Filter = (addresses) => {
  const found = addresses.filter(({ address }) => isPublicAddress(address))
  if (found.length === 0) throw new ForbiddenAddress()
  return found
}

/** Looks names up for a connection, which uses exactly the addresses that `filter` leaves. */
const lookupBy =
  (resolve: Resolve, filter: Filter): LookupFunction =>
  (hostname, { family, all }, done) => {
    const ofFamily: Filter = (addresses) =>
      family === 4 || family === 6 ? addresses.filter((one) => one.family === family) : addresses
    resolve(hostname)
      .then((addresses) => ofFamily(filter(addresses)))
      .then(
        (addresses) => {
          const [first] = addresses
          if (first === undefined) done(new UnresolvedName(`There is no address for ${hostname}.`), '')
          else if (all === true) done(null, addresses)
          else done(null, first.address, first.family)
        },
        (error: Error) => done(error, '')
      )
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
  /** By default a resolver of its own, with a cache. */
  resolve?: Resolve
}

/**
 * Creates a dispatcher for requests to URLs that a tenant chose. Each request uses a new connection, so that each is checked. The check applies to the connected
 * address, not to the name, which can resolve to another address later. The dispatcher follows no redirects and uses no proxy.
 */
export const createOutbound = ({
  allowPrivate,
  connectTimeoutMs,
  resolve = createResolver({ usesSystem: allowPrivate })
}: OutboundOptions): Dispatcher => {
  const lookup = lookupBy(resolve, allowPrivate ? (addresses) => addresses : publicOnly)
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup })
  return new Agent({
    connect: allowPrivate ? connect : guardedConnector(connect),
    pipelining: 0,
    maxHeaderSize: 16_384
  })
}
