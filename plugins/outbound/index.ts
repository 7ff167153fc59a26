import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import { isIP, type LookupFunction } from 'node:net'
import { Agent, buildConnector, type Dispatcher } from 'undici'
import { isPublicAddress } from './addresses.ts'

/** The host is, or its name leads to, an address that this server does not connect to on anybody's behalf. */
export class ForbiddenAddress extends Error {
  override readonly name = 'ForbiddenAddress'
  readonly code = 'ERR_FORBIDDEN_ADDRESS'
  constructor() {
    // Without the address: what a private name resolves to is not for whoever chose the name.
    super('The host leads to an address that this server does not connect to.')
  }
}

export type Resolve = (
  hostname: string,
  options: { all: true; family?: number },
  done: (error: Error | null, addresses: LookupAddress[]) => void
) => void

const systemResolve: Resolve = (hostname, options, done) => systemLookup(hostname, options, done)

/** Resolves for a connection and hands on only addresses that may be connected to; the connection is made to these very addresses. */
const guardedLookup =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, done) => {
    const family = options.family === 4 || options.family === 6 ? { family: options.family } : {}
    resolve(hostname, { all: true, ...family }, (error, found) => {
      const addresses = error === null ? found.filter(({ address }) => isPublicAddress(address)) : []
      const [first] = addresses
      if (error !== null) done(error, '')
      else if (first === undefined) done(new ForbiddenAddress(), '')
      else if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }

const plainLookup =
  (resolve: Resolve): LookupFunction =>
  (hostname, options, done) => {
    resolve(hostname, { all: true }, (error, addresses) => {
      // With an error there is no list at all.
      const first = error === null ? addresses[0] : undefined
      if (error !== null || first === undefined) done(error ?? new Error(`There is no address for ${hostname}.`), '')
      else if (options.all === true) done(null, addresses)
      else done(null, first.address, first.family)
    })
  }

const guardedConnector = (connect: buildConnector.connector): buildConnector.connector => {
  const refuse = (done: buildConnector.Callback): void => done(new ForbiddenAddress(), null)
  return (options, done) => {
    const host = options.hostname.replace(/^\[|\]$/g, '')
    // A literal address is connected to without a lookup.
    if (isIP(host) !== 0 && !isPublicAddress(host)) return refuse(done)
    connect(options, (...result) => {
      const [error, socket] = result
      if (error !== null) return done(error, null)
      // Whatever happened on the way, this is where the bytes would go.
      if (isPublicAddress(socket.remoteAddress ?? '')) return done(null, socket)
      socket.destroy()
      return refuse(done)
    })
  }
}

export interface OutboundOptions {
  /** Whether private addresses may be connected to, as on a desk or inside a company's own network. */
  allowPrivate: boolean
  connectTimeoutMs: number
  resolve?: Resolve
}

/**
 * A dispatcher for requests to URLs that somebody else chose. Each request gets a connection of its own, so that every one of them is checked. The check is made
 * on the address that is connected to and not on the name, which may lead elsewhere a moment later. It follows no redirects and knows no proxy.
 */
export const createOutbound = ({
  allowPrivate,
  connectTimeoutMs,
  resolve = systemResolve
}: OutboundOptions): Dispatcher => {
  const lookup = allowPrivate ? plainLookup(resolve) : guardedLookup(resolve)
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup })
  return new Agent({
    connect: allowPrivate ? connect : guardedConnector(connect),
    pipelining: 0,
    maxHeaderSize: 16_384
  })
}
