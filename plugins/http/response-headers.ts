import fp from 'fastify-plugin'
import type { Config } from '../config/index.ts'

/** Security headers of every response. */
export const standingHeaders = ({ environment }: Pick<Config, 'environment'>): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  ...(environment === 'production' ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {})
})

export default fp(
  async (app) => {
    const standing = standingHeaders(app.config)
    app.addHook('onRequest', (request, reply, next) => {
      reply.headers(standing).header('x-request-id', request.id)
      next()
    })
  },
  { name: 'response-headers', dependencies: ['config'] }
)
