import type { FastifyInstance } from 'fastify'

export const refreshCookieName = 'atlas_refresh'

/** How long a refresh token, and with it its session, lives unless it is used: 7 days. */
export const refreshLifetimeMs = 7 * 24 * 3_600_000

const optionsOf = (app: FastifyInstance) =>
  ({
    path: '/api/v1/auth',
    httpOnly: true,
    sameSite: 'strict',
    secure: app.config.environment === 'production'
  }) as const

/** The header that gives the client its next refresh token. */
export const setRefreshCookie = (app: FastifyInstance, token: string): Record<string, string> => ({
  'set-cookie': app.serializeCookie(refreshCookieName, token, { ...optionsOf(app), maxAge: refreshLifetimeMs / 1000 })
})

/** The header that takes the refresh token from the client. */
export const clearRefreshCookie = (app: FastifyInstance): Record<string, string> => ({
  'set-cookie': app.serializeCookie(refreshCookieName, '', { ...optionsOf(app), maxAge: 0 })
})
