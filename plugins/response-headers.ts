import fp from 'fastify-plugin'

/** Headers that every answer carries: the request id, and what keeps a browser from guessing. */
export default fp(
  (app, _options, done) => {
    const fixed = {
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
      ...(app.config.environment === 'production' ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {})
    }
    app.addHook('onRequest', (request, reply, next) => {
      reply.headers(fixed).header('x-request-id', request.id)
      next()
    })
    done()
  },
  { name: 'response-headers', dependencies: ['config'] }
)
