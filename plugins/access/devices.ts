import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { emailKeyOf } from '../email-address.ts'
import { newId } from '../ids.ts'

export const deviceCookieName = 'atlas_device'

/** How long a device is remembered after the last sign-in on it: 180 days. */
export const deviceLifetimeMs = 180 * 24 * 3_600_000

const cookiePattern = /(?:^|;\s?)atlas_device=(dev_\w{1,40})\.(\d{1,16})\.([\w-]{43})(?:;|$)/

type Dependencies = Pick<FastifyInstance, 'clock' | 'secrets'>

const keysOf = ({ secrets }: Dependencies): Buffer[] => secrets.derive('device cookies')

const sign = (key: Buffer, deviceId: string, signedInMs: number, email: string): Buffer =>
  createHmac('sha256', key)
    .update([deviceId, signedInMs, emailKeyOf(email)].join('\n'))
    .digest()

/**
 * Finds out whether the account of an e-mail address has signed in on the client's device before, by the device's cookie. The cookie is worth nothing for
 * another account, and only this server can make one.
 * @returns the id of the device, or undefined.
 */
export const findKnownDevice = (
  app: Dependencies,
  request: Pick<FastifyRequest, 'headers'>,
  email: string
): string | undefined => {
  const [, deviceId, signedIn, signature = ''] = cookiePattern.exec(request.headers.cookie ?? '') ?? []
  const signedInMs = Number(signedIn)
  if (deviceId === undefined || app.clock.now().getTime() - signedInMs > deviceLifetimeMs) return undefined
  const given = Buffer.from(signature, 'base64url')
  const isSigned = keysOf(app).some((key) => timingSafeEqual(sign(key, deviceId, signedInMs, email), given))
  return isSigned ? deviceId : undefined
}

/** The value of the cookie that remembers a sign-in on the client's device, which keeps its id. */
export const createDeviceCookie = (
  app: Dependencies,
  request: Pick<FastifyRequest, 'headers'>,
  email: string
): string => {
  const [key] = keysOf(app)
  if (key === undefined) throw new Error('There is no encryption key.')
  const deviceId = findKnownDevice(app, request, email) ?? newId('dev')
  const signedInMs = app.clock.now().getTime()
  return `${deviceId}.${signedInMs}.${sign(key, deviceId, signedInMs, email).toString('base64url')}`
}
