import fp from 'fastify-plugin'
import { markServed } from './served.ts'

/** Tells the span of a request which operation it is; while tracing is off, nothing is loaded or hooked. */
export default fp(
  async (app) => {
    if (!app.config.tracingEnabled) return
    const { context, trace } = await import('@opentelemetry/api')
    const { getRPCMetadata, RPCType } = await import('@opentelemetry/core')
    app.server.on('connection', markServed)
    app.addHook('onRequest', (request, _reply, next) => {
      const metadata = getRPCMetadata(context.active())
      // The span takes its name from here: the route, with the names of its parameters and not their values.
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
