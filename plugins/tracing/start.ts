import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { IncomingMessage } from 'node:http'
import type { TextMapPropagator } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { registerInstrumentations } from '@opentelemetry/instrumentation'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { UndiciInstrumentation } from '@opentelemetry/instrumentation-undici'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node'
import { version } from '../version.ts'
import { redacting } from './redaction.ts'
import { isServed } from './served.ts'

export interface Tracing {
  /** Exports the pending spans and stops tracing. */
  stop(): Promise<void>
}

/** Continues a caller's trace, but does not propagate it: upstream services belong to other companies. */
const inwards = (): TextMapPropagator => {
  const standard = new W3CTraceContextPropagator()
  return {
    inject: () => undefined,
    extract: (context, carrier, getter) => standard.extract(context, carrier, getter),
    fields: () => standard.fields()
  }
}

const isNoise = (request: IncomingMessage): boolean =>
  !isServed(request.socket) || request.url?.startsWith('/api/v1/health') === true

const instrumentations = () => [
  new HttpInstrumentation({ ignoreIncomingRequestHook: isNoise }),
  new UndiciInstrumentation(),
  new PgInstrumentation({
    // Otherwise each statement of a background job would be a trace.
    requireParentSpan: true,
    requestHook: (span, { query }) =>
      void span.updateName(query.text.trimStart().split(/\s/, 1)[0]?.toLowerCase() ?? 'query')
  })
]

/**
 * Loads the instrumented modules with `require`, which the instrumentations hook. They patch the shared module objects in place, so that modules that were
 * imported before are instrumented too, without a loader hook or options for Node.js.
 */
const loadInstrumented = (): void => {
  const require = createRequire(import.meta.url)
  for (const name of ['http', 'https', 'pg', 'pg-pool']) require(name)
  syncBuiltinESMExports()
}

/**
 * Starts tracing of requests, PostgreSQL statements and outbound calls. The OpenTelemetry packages read their standard settings themselves:
 * OTEL_EXPORTER_OTLP_…, OTEL_TRACES_SAMPLER, OTEL_BSP_…, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.
 */
export const startTracing = (): Tracing => {
  const named = resourceFromAttributes({ 'service.name': 'atlasforge', 'service.version': version })
  const provider = new NodeTracerProvider({
    resource: defaultResource()
      .merge(named)
      .merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [redacting(new BatchSpanProcessor(new OTLPTraceExporter()))]
  })
  provider.register({ propagator: inwards() })
  const unregister = registerInstrumentations({ instrumentations: instrumentations(), tracerProvider: provider })
  loadInstrumented()
  return {
    async stop() {
      unregister()
      await provider.shutdown()
    }
  }
}
