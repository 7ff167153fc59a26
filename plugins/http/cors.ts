import cors from '@fastify/cors'
import fp from 'fastify-plugin'

/** What a script of another origin can read beside the headers that every script can. */
const exposedHeaders = [
  'X-Request-Id',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Idempotent-Replayed',
  'Idempotency-Mismatch',
  'Location',
  'ETag',
  'Allow',
  'WWW-Authenticate'
]

/** How long browsers keep the response to a preflight: two hours, which is the most that Chromium allows. */
const maxAge = 7_200

/**
 * Lets scripts of the configured origins call the API (CORS). A preflight gets its response before rate limits and credentials, because a browser sends it without any. Cookies
 * stay out: the refresh cookie is SameSite=Strict, so these clients send keys, tokens or access tokens. Requests of other origins are served as without this plugin.
 */
export default fp(
  async (app) => {
    const origins = new Set(app.config.corsOrigins)
    if (origins.size === 0) return
    await app.register(cors, {
      origin: async (origin: string | undefined) => (origin !== undefined && origins.has(origin) ? origin : false),
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders,
      maxAge,
      // Otherwise an OPTIONS request that is no preflight would get a response that is no problem.
      strictPreflight: false
    })
  },
  { name: 'cors', dependencies: ['config', 'response-headers'] }
)
