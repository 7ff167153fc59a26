import type { FastifyRequest } from 'fastify'
import type { Config } from '../config/index.ts'
import { hostNotAllowed, originNotAllowed } from './errors.ts'

const loopback = ['localhost', '127.0.0.1', '[::1]']

/** An address that says "everywhere" is no name by which anybody calls. */
const everywhere = new Set(['0.0.0.0', '::'])

const hostnameIn = (url: string): string | undefined => (URL.canParse(url) ? new URL(url).hostname : undefined)

const allowedHosts = ({ publicUrl, host }: Pick<Config, 'publicUrl' | 'host'>): ReadonlySet<string> => {
  const named = publicUrl === undefined ? undefined : hostnameIn(publicUrl)
  const listening = everywhere.has(host) ? undefined : hostnameIn(`http://${host.includes(':') ? `[${host}]` : host}`)
  return new Set([...loopback, named, listening].filter((name) => name !== undefined))
}

/**
 * Refuses what a web page of another site could send through a visitor's browser: a request under a name that was rebound to this machine, or one whose
 * `Origin` is foreign. Allowed are the host of ATLAS_PUBLIC_URL, loopback, and the address that the server listens on, with any port.
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
        'This server does not go by the name in `Host`. Its operator can set ATLAS_PUBLIC_URL to the address that clients use.'
      )
    }
    if (origin !== undefined && !isAllowed(origin))
      throw originNotAllowed('Web pages of other sites may not use the tools.')
  }
}
