import fp from 'fastify-plugin'
import type { Config } from './config/index.ts'

/** What every answer carries: the request id, and what keeps a browser from guessing. */
export const standingHeaders = (requestId: string, { environment }: Pick<Config, 'environment'>): Record<string, string> => ({
  'x-request-id': requestId,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  ...(environment === 'production' ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {})
})

export default fp(
  (app, _options, done) => {
    app.addHook('onRequest', (request, reply, next) => {
      reply.headers(standingHeaders(request.id, app.config))
      next()
    })
    done()
  },
  { name: 'response-headers', dependencies: ['config'] }
)
