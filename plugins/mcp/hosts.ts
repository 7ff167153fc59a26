import type { FastifyRequest } from 'fastify'
import type { Config } from '../config/index.ts'
import { hostNotAllowed, originNotAllowed } from './errors.ts'

const loopback = ['localhost', '127.0.0.1', '[::1]']

/** Wildcard listen addresses, which are not hostnames. */
const everywhere = new Set(['0.0.0.0', '::'])

const hostnameIn = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined)

const allowedHosts = ({ publicUrl, host }: Pick<Config, 'publicUrl' | 'host'>): ReadonlySet<string> => {
  const named = publicUrl === undefined ? undefined : hostnameIn(publicUrl)
  const listening = everywhere.has(host) ? undefined : hostnameIn(`http://${host.includes(':') ? `[${host}]` : host}`)
  return new Set([...loopback, named, listening].filter((name) => name !== undefined))
}

/**
 * Rejects requests that a web page of another origin could send through a visitor's browser: DNS rebinding, or a foreign `Origin`. Allows the host of
 * ATLAS_PUBLIC_URL, loopback, and the listen address, with any port.
 *
 * @returns a check that throws ProblemError 403.
 */
export const hostGuard = (
  config: Pick<Config, 'publicUrl' | 'host'>
): ((request: Pick<FastifyRequest, 'host' | 'headers'>) => void) => {
  const allowed = allowedHosts(config)
  const isAllowed = (url: string): boolean => allowed.has(hostnameIn(url) ?? '')
  return ({ host, headers: { origin } }) => {
    if (!isAllowed(`http://${host}`)) {
      throw hostNotAllowed(
        'The `Host` header is not a name of this server. Set ATLAS_PUBLIC_URL to the URL that clients use.'
      )
    }
    if (origin !== undefined && !isAllowed(origin))
      throw originNotAllowed('Web pages of other origins cannot call the tools. Call them from a program or a backend.')
  }
}
