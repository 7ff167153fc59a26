import type { FastifyReply } from 'fastify'
import fp from 'fastify-plugin'
import type { Config } from '../config/index.ts'

/** What every answer carries beside the request id: what keeps a browser from guessing. */
export const standingHeaders = ({ environment }: Pick<Config, 'environment'>): Record<string, string> => ({
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
  ...(environment === 'production' ? { 'strict-transport-security': 'max-age=31536000; includeSubDomains' } : {})
})

/** Names and values in turn, which Node writes faster than an object. */
export type HeaderList = string[]

export const headersOf = (list: HeaderList): Record<string, string> =>
  Object.fromEntries(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? '']] : [])))

declare module 'fastify' {
  interface FastifyReply {
    /** What is told of the caller's rate limit; null while nothing was taken from it. */
    rateLimitHeaders: HeaderList | null
    /**
     * Answers with JSON and what every answer carries, and nothing else; past Fastify's own sending, of which no `onSend` hook hears
     * (docs/decisions/0030-answers-past-fastifys-sending.md).
     */
    sendJson(status: number, text: string): void
  }
}

export default fp(
  (app, _options, done) => {
    const standing = Object.entries(standingHeaders(app.config)).flat()
    const listOf = ({ request, rateLimitHeaders }: FastifyReply): HeaderList => [
      ...standing,
      'x-request-id',
      request.id,
      ...(rateLimitHeaders ?? [])
    ]
    app.decorateReply('rateLimitHeaders', null)
    app.decorateReply('sendJson', function (this: FastifyReply, status, text) {
      const { raw } = this
      if (app.isClosing()) raw.shouldKeepAlive = false
      raw.writeHead(status, [
        ...listOf(this),
        'content-type',
        'application/json; charset=utf-8',
        'content-length',
        String(Buffer.byteLength(text))
      ])
      // Not before: what Node refuses to write is still answered as a fault.
      this.hijack()
      raw.end(text)
    })
    app.addHook('onSend', (_request, reply, _payload, next) => {
      for (const [name, value] of Object.entries(headersOf(listOf(reply))))
        if (!reply.hasHeader(name)) reply.header(name, value)
      next()
    })
    done()
  },
  { name: 'response-headers', dependencies: ['config', 'draining'] }
)
