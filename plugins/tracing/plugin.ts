import fp from 'fastify-plugin'
import { markServed } from './served.ts'

/** Adds the operation to the span of a request. When tracing is disabled, loads and hooks nothing. */
export default fp(
  async (app) => {
    if (!app.config.tracingEnabled) return
    const { context, trace } = await import('@opentelemetry/api')
    const { getRPCMetadata, RPCType } = await import('@opentelemetry/core')
    app.server.on('connection', markServed)
    app.addHook('onRequest', (request, _reply, next) => {
      const metadata = getRPCMetadata(context.active())
      // Names the span after the route, without parameter values.
      if (metadata?.type === RPCType.HTTP && request.routeOptions.url !== undefined)
        metadata.route = request.routeOptions.url
      const operation = request.routeOptions.config.operation
      trace.getActiveSpan()?.setAttributes({
        'atlas.request_id': request.id,
        ...(operation === undefined ? {} : { 'atlas.operation_id': operation.operationId })
      })
      next()
    })
  },
  { name: 'tracing', dependencies: ['config'] }
)
