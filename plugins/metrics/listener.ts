import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'

export interface Listener {
  /** The URL of the endpoint, such as http://127.0.0.1:9464/metrics. */
  url(): string
  close(): Promise<void>
}

const requestTimeoutMs = 10_000

const createMetricsServer = (registry: Registry, onError: (error: unknown) => void): Server =>
  createServer({ requestTimeout: requestTimeoutMs, headersTimeout: requestTimeoutMs }, (request, response) => {
    if (request.url?.split('?', 1)[0] !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
      response.writeHead(404, { 'content-type': 'text/plain' }).end('Not found. The metrics are at GET /metrics.\n')
      return
    }
    registry.metrics().then(
      (text) =>
        response
          .writeHead(200, { 'content-type': registry.contentType, 'cache-control': 'no-store' })
          .end(request.method === 'HEAD' ? undefined : text),
      (error: unknown) => {
        onError(error)
        response.writeHead(500).end()
      }
    )
  })

/**
 * Serves a registry on its own port, which is not public.
 * @throws the error of the socket, for example when the port is in use.
 */
export const listenForMetrics = async (
  registry: Registry,
  host: string,
  port: number,
  onError: (error: unknown) => void
): Promise<Listener> => {
  const server = createMetricsServer(registry, onError)
  await once(server.listen({ host, port }), 'listening')
  return {
    url() {
      const { address, family, port: actual } = server.address() as AddressInfo
      return `http://${family === 'IPv6' ? `[${address}]` : address}:${actual}/metrics`
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done())
        server.closeAllConnections()
      })
  }
}
