import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/**
 * The base URL of this server for programs on this machine.
 *
 * @throws Error before the server listens.
 */
export const localUrl = ({ server }: Pick<FastifyInstance, 'server'>): string => {
  const bound = server.address() as AddressInfo | null
  if (bound === null) throw new Error('The server does not listen yet.')
  const { address, family, port } = bound
  const isWildcard = address === '0.0.0.0' || address === '::'
  const host = isWildcard ? '127.0.0.1' : family === 'IPv6' ? `[${address}]` : address
  return `http://${host}:${port}`
}

/** The base URL of this server for browsers, without a trailing slash. */
export const publicUrl = (app: Pick<FastifyInstance, 'config' | 'server'>): string =>
  app.config.publicUrl ?? localUrl(app)
