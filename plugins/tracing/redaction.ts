import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node'

/**
 * What a span may tell. Everything else stays here: paths and queries name people's things, the addresses of webhooks hold credentials of their
 * own, and whatever an instrumentation may add in a later version is unknown.
 */
const told = new Set([
  'atlas.operation_id',
  'atlas.request_id',
  'db.namespace',
  'db.operation.name',
  'db.query.text',
  'db.response.status_code',
  'db.system.name',
  'error.type',
  'http.request.method',
  'http.response.status_code',
  'http.route',
  'network.protocol.version',
  'server.address',
  'server.port',
  'url.scheme'
])

/** Of an error its kind is told; its words can hold values. The log has them, under the same request id. */
const toldOfErrors = new Set(['exception.type'])

const keep = (attributes: ReadableSpan['attributes'], allowed: ReadonlySet<string>): void => {
  for (const name of Object.keys(attributes)) if (!allowed.has(name)) delete attributes[name]
}

/** Takes from every span that ended what it must not tell, and hands it on. */
export const redacting = (next: SpanProcessor): SpanProcessor => ({
  onStart: (span: Span, parent: Context) => next.onStart(span, parent),
  onEnd(span) {
    keep(span.attributes, told)
    for (const { attributes } of span.events) if (attributes !== undefined) keep(attributes, toldOfErrors)
    delete span.status.message
    next.onEnd(span)
  },
  forceFlush: () => next.forceFlush(),
  shutdown: () => next.shutdown()
})
