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
  /** Sends what is not sent yet, and ends. */
  stop(): Promise<void>
}

/** Takes up a caller's trace, and tells nobody outside of ours: whom this server calls are other companies. */
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
    // Statements of the polling in the background would each be a trace of its own.
    requireParentSpan: true,
    requestHook: (span, { query }) =>
      void span.updateName(query.text.trimStart().split(/\s/, 1)[0]?.toLowerCase() ?? 'query')
  })
]

/**
 * Loads what is instrumented in the way that the instrumentations watch. They change functions in place, on objects that the whole process shares, so that whoever
 * imported them before has the changed ones too; no loader hook is needed, and Node.js and tsx need no options.
 */
const loadInstrumented = (): void => {
  const require = createRequire(import.meta.url)
  for (const name of ['http', 'https', 'pg', 'pg-pool']) require(name)
  syncBuiltinESMExports()
}

/**
 * Begins to trace: requests, statements on PostgreSQL, and calls to other services. Where to, how much and under which name the standard settings of OpenTelemetry say
 * (OTEL_EXPORTER_OTLP_…, OTEL_TRACES_SAMPLER, OTEL_BSP_…, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES), which its packages read themselves.
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
