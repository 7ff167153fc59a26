import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { emailKeyOf } from '../email-address.ts'
import { addressKey, addressOf } from './addresses.ts'
import { findKnownDevice } from './devices.ts'
import { findSessionAddresses } from './queries.ts'

const maxEmailLength = 254

/** The e-mail address in the body of a sign-in, which is not validated yet. */
const emailOf = (request: FastifyRequest): string => {
  const email = (request.body as { email?: unknown } | null | undefined)?.email
  return typeof email === 'string' && email.length <= maxEmailLength ? email : ''
}

/** The account that a sign-in means, whether it exists or not, as a rate limit key. */
export const accountKeyOf = (request: FastifyRequest): string =>
  createHash('sha256')
    .update(emailKeyOf(emailOf(request)))
    .digest('base64url')
    .slice(0, 22)

/** The device of a sign-in, when its account has signed in on it before. */
export const deviceOf = (
  app: Pick<FastifyInstance, 'clock' | 'secrets'>,
  request: FastifyRequest
): string | undefined => findKnownDevice(app, request, emailOf(request))

/** Whether the account of a sign-in has a session that was opened from the same address. */
export const isFromSessionAddress = async (
  { clock, database }: Pick<FastifyInstance, 'clock' | 'database'>,
  request: FastifyRequest
): Promise<boolean> => {
  const addresses = await findSessionAddresses(database.db, emailKeyOf(emailOf(request)), clock.now())
  const own = addressKey(addressOf(request))
  return addresses.some(({ ip }) => addressKey(ip) === own)
}
