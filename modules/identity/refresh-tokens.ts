import { createHmac } from 'node:crypto'
import type { FastifyInstance } from 'fastify'

/** How long after its use a refresh token is accepted once more, because two tabs of a browser may refresh at the same time. */
export const repeatWindowMs = 10_000

/**
 * The refresh tokens that may replace a token, one for each encryption key, the current key's first. Computed and not stored, so that a repeated refresh
 * gets the same one although the database has only its hash.
 */
export const successorsOf = ({ secrets }: Pick<FastifyInstance, 'secrets'>, token: string): string[] =>
  secrets.derive('refresh tokens').map((key) => createHmac('sha256', key).update(token).digest('base64url'))
