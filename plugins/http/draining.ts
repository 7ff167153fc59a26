import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { LingeringServer } from './lingering-server.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to stop, so that clients should send new requests elsewhere. */
    isDraining(): boolean
    /** Whether the server is closing. Each response is then the last on its connection, because a kept-alive connection would delay the shutdown. */
    isClosing(): boolean
    /**
     * Reports the server as not ready, serves requests until load balancers have noticed, then closes the server.
     * Resolves when every accepted request has its response.
     */
    drain(): Promise<void>
  }
}

export interface DrainingOptions {
  /** How long, in milliseconds, a closing server still accepts requests on open connections; 0 closes idle connections at once. */
  lingerMs: number
}

/**
 * Closes the server without dropping requests. First it stops listening, so that load balancers use another instance, and serves requests that are in transit
 * on open connections, each as the last one on its connection. Then, or at once without a linger time, it closes idle connections. Node alone would wait a
 * minute for connections that never sent a request, such as those that browsers open in advance.
 */
export default fp<DrainingOptions>(
  async (app, { lingerMs }) => {
    const connected = new Set<Socket>()
    const unused = new Set<Socket>()
    let closing = false
    let lingering = lingerMs > 0
    let drained: Promise<void> | undefined
    const drain = async (): Promise<void> => {
      await delay(app.config.drainDelayMs)
      await app.close()
    }
    app.decorate('isDraining', () => drained !== undefined)
    app.decorate('isClosing', () => closing)
    app.decorate('drain', () => (drained ??= drain()))
    app.server.on('connection', (socket) => {
      if (closing && !lingering) {
        socket.destroy()
        return
      }
      connected.add(socket)
      unused.add(socket)
      socket.once('close', () => {
        connected.delete(socket)
        unused.delete(socket)
      })
    })
    app.server.on('request', ({ socket }) => unused.delete(socket))
    app.addHook('onSend', (_request, reply, _payload, next) => {
      if (closing) reply.header('connection', 'close')
      next()
    })
    const linger = async (): Promise<void> => {
      const enough = new AbortController()
      const timer = delay(lingerMs, undefined, { signal: enough.signal }).catch(() => undefined)
      const allGone = Promise.all([...connected].map((socket) => once(socket, 'close')))
      await Promise.race([timer, allGone])
      enough.abort()
    }
    app.addHook('preClose', async () => {
      closing = true
      if (lingering && app.server.listening) {
        if (app.server instanceof LingeringServer) app.server.stopListening()
        await linger()
      }
      lingering = false
      for (const socket of unused) socket.destroy()
    })
  },
  { name: 'draining', dependencies: ['config'] }
)
