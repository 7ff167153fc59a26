import { lookup, type LookupAddress, type RecordWithTtl } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { LRUCache } from 'lru-cache'

/** A name that has no address, or whose name servers did not respond in time. */
export class UnresolvedName extends Error {
  override readonly name = 'UnresolvedName'
  readonly code = 'ERR_UNRESOLVED_NAME'
}

/**
 * Resolves a host name to its addresses, at least one.
 * @throws UnresolvedName
 */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>

export interface ResolverOptions {
  /** Whether to ask the system, too: its hosts file and search domains may name private hosts. */
  usesSystem?: boolean
  /** For one name, all retries included. */
  timeoutMs?: number
  /** Names in the cache. */
  maxNames?: number
  /** DNS servers such as `127.0.0.1:53`; those of the system by default. */
  servers?: string[]
}

interface Found {
  addresses: LookupAddress[]
  /** Time to live. */
  ttlMs: number
}

const longestTtlMs = 60_000
/** For failures, and for the system's answers, which have no time to live. */
const shortTtlMs = 5_000
const triesPerServer = 2
/** The system's lookups run in threads that it shares with file access and password hashing, four in all. */
const maxSystemLookups = 2

const loopback: LookupAddress[] = [
  { address: '127.0.0.1', family: 4 },
  { address: '::1', family: 6 }
]

/** Names that always mean this machine (RFC 6761), which DNS servers need not know. */
const isLocalhost = (hostname: string): boolean => /(^|\.)localhost\.?$/i.test(hostname)

const isTimeout = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'ETIMEOUT'

const createDnsLookup = (timeoutMs: number, servers: string[] | undefined): ((hostname: string) => Promise<Found>) => {
  const dns = new Resolver({ timeout: Math.ceil(timeoutMs / (2 * triesPerServer)), tries: triesPerServer })
  if (servers !== undefined) dns.setServers(servers)
  return async (hostname) => {
    const options = { ttl: true } as const
    const failures: Error[] = []
    const ofFamily = async (family: 4 | 6, found: Promise<RecordWithTtl[]>) => {
      const records = await found.catch((error: Error) => {
        failures.push(error)
        return []
      })
      return records.map((record) => ({ ...record, family }))
    }
    const records = (
      await Promise.all([ofFamily(4, dns.resolve4(hostname, options)), ofFamily(6, dns.resolve6(hostname, options))])
    ).flat()
    if (records.length === 0)
      throw failures.find(isTimeout) ?? failures[0] ?? new UnresolvedName('There is no address.')
    return {
      addresses: records.map(({ address, family }) => ({ address, family })),
      ttlMs: Math.min(...records.map(({ ttl }) => ttl * 1_000), longestTtlMs)
    }
  }
}

const createSystemLookup = (): ((hostname: string) => Promise<Found>) => {
  let running = 0
  return (hostname) =>
    new Promise((resolve, reject) => {
      if (running >= maxSystemLookups) return reject(new UnresolvedName('Too many lookups by the system.'))
      running += 1
      lookup(hostname, { all: true }, (error, addresses) => {
        running -= 1
        if (error === null) resolve({ addresses, ttlMs: shortTtlMs })
        else reject(error)
      })
    })
}

const withTimeout = async <T>(work: Promise<T>, timeoutMs: number): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new UnresolvedName('The name servers did not respond in time.')), timeoutMs)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Creates a resolver for names that tenants chose. It asks the DNS servers itself, because the system's lookup (`dns.lookup`) occupies one of a few threads for as long as a
 * tenant's name server keeps silent. Addresses are kept for their time to live, at most a minute; failures for five seconds.
 */
export const createResolver = ({
  usesSystem = false,
  timeoutMs = 4_000,
  maxNames = 1_000,
  servers
}: ResolverOptions = {}): Resolve => {
  const byDns = createDnsLookup(timeoutMs, servers)
  const bySystem = createSystemLookup()
  const cache = new LRUCache<string, Promise<LookupAddress[]>>({ max: maxNames })

  /** Asks the system about a name that DNS does not know, but not about one whose name servers are silent. */
  const askSystem = (hostname: string) => async (error: unknown) => {
    if (isTimeout(error)) throw error
    return await bySystem(hostname)
  }

  const find = async (hostname: string): Promise<Found> => {
    const found = byDns(hostname)
    return await withTimeout(usesSystem ? found.catch(askSystem(hostname)) : found, timeoutMs)
  }

  /** Keeps the outcome of a lookup for its time to live. The cache would take 0 for no limit. */
  const keep = (hostname: string, addresses: Promise<LookupAddress[]>, ttlMs: number): void => {
    if (ttlMs > 0) cache.set(hostname, addresses, { ttl: ttlMs })
    else cache.delete(hostname)
  }

  const start = (hostname: string): Promise<LookupAddress[]> => {
    const addresses = find(hostname).then(
      (found) => {
        keep(hostname, addresses, found.ttlMs)
        return found.addresses
      },
      (error: unknown) => {
        keep(hostname, addresses, shortTtlMs)
        throw error instanceof UnresolvedName
          ? error
          : new UnresolvedName(`There is no address for ${hostname}.`, { cause: error })
      }
    )
    cache.set(hostname, addresses)
    return addresses
  }

  return (hostname) => {
    if (isLocalhost(hostname)) return Promise.resolve(loopback)
    return cache.get(hostname) ?? start(hostname)
  }
}
