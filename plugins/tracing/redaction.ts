import type { Context } from '@opentelemetry/api'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace-node'

/**
 * The attributes that spans export. All others are removed: paths and queries identify resources, webhook URLs can contain credentials, and later versions of
 * an instrumentation can add attributes.
 */
const exported = new Set([
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

/** Spans export only the type of an error, because its message can contain values. The log has the message, with the same request id. */
const exportedOfErrors = new Set(['exception.type'])

const keep = (attributes: ReadableSpan['attributes'], allowed: ReadonlySet<string>): void => {
  for (const name of Object.keys(attributes)) if (!allowed.has(name)) delete attributes[name]
}

/** Removes all other attributes from every ended span before it is exported. */
export const redacting = (next: SpanProcessor): SpanProcessor => ({
  onStart: (span: Span, parent: Context) => next.onStart(span, parent),
  onEnd(span) {
    keep(span.attributes, exported)
    for (const { attributes } of span.events) if (attributes !== undefined) keep(attributes, exportedOfErrors)
    delete span.status.message
    next.onEnd(span)
  },
  forceFlush: () => next.forceFlush(),
  shutdown: () => next.shutdown()
})
