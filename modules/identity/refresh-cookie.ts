import type { FastifyInstance } from 'fastify'

export const refreshCookieName = 'atlas_refresh'

/** Lifetime of a refresh token, and of its session since its last use: 7 days. */
export const refreshLifetimeMs = 7 * 24 * 3_600_000

type CookieWriter = Pick<FastifyInstance, 'config' | 'serializeCookie'>

const optionsOf = ({ config }: CookieWriter) =>
  ({
    path: '/api/v1/auth',
    httpOnly: true,
    sameSite: 'strict',
    secure: config.environment === 'production'
  }) as const

/** The header that sets the refresh token of the client. */
export const setRefreshCookie = (app: CookieWriter, token: string): Record<string, string> => ({
  'set-cookie': app.serializeCookie(refreshCookieName, token, { ...optionsOf(app), maxAge: refreshLifetimeMs / 1000 })
})

/** The header that deletes the refresh token of the client. */
export const clearRefreshCookie = (app: CookieWriter): Record<string, string> => ({
  'set-cookie': app.serializeCookie(refreshCookieName, '', { ...optionsOf(app), maxAge: 0 })
})
