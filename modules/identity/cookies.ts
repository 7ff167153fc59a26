import type { FastifyInstance, FastifyRequest } from 'fastify'
import { createDeviceCookie, deviceCookieName, deviceLifetimeMs } from '../../plugins/access/devices.ts'

export const refreshCookieName = 'atlas_refresh'

/** Lifetime of a refresh token, and of its session since its last use: 7 days. */
export const refreshLifetimeMs = 7 * 24 * 3_600_000

type CookieWriter = Pick<FastifyInstance, 'clock' | 'config' | 'secrets' | 'serializeCookie'>

const serialise = ({ config, serializeCookie }: CookieWriter, name: string, value: string, lifetimeMs: number) =>
  serializeCookie(name, value, {
    path: '/api/v1/auth',
    httpOnly: true,
    sameSite: 'strict',
    secure: config.environment === 'production',
    maxAge: lifetimeMs / 1000
  })

/** The header that sets the refresh token of the client. */
export const setRefreshCookie = (app: CookieWriter, token: string): Record<string, string> => ({
  'set-cookie': serialise(app, refreshCookieName, token, refreshLifetimeMs)
})

/** The header that deletes the refresh token of the client. */
export const clearRefreshCookie = (app: CookieWriter): Record<string, string> => ({
  'set-cookie': serialise(app, refreshCookieName, '', 0)
})

/** The header of a sign-in: sets the refresh token of the client, and remembers its device for the account. */
export const setSignInCookies = (
  app: CookieWriter,
  request: FastifyRequest,
  token: string,
  email: string
): Record<string, string[]> => ({
  'set-cookie': [
    serialise(app, refreshCookieName, token, refreshLifetimeMs),
    serialise(app, deviceCookieName, createDeviceCookie(app, request, email), deviceLifetimeMs)
  ]
})
