import { once } from 'node:events'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'
import { LingeringServer } from './lingering-server.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to stop, so that nobody should send it anything new. */
    isDraining(): boolean
    /** Whether the server stops, so that what is answered now is the last on its connection; kept alive, it would hold the server up until it times out. */
    isClosing(): boolean
    /**
     * Tells load balancers by the readiness that the server is about to stop, and goes on answering until they have seen it; then closes the server.
     * Resolves when all that was accepted is answered.
     */
    drain(): Promise<void>
  }
}

export interface DrainingOptions {
  /** For how long, in milliseconds, a closing server still takes requests on connections that it has accepted; 0 closes what is idle at once. */
  lingerMs: number
}

/**
 * Lets a closing server go without cutting anything off. First it stops listening, so that a load balancer turns to another instance; requests that are on
 * their way on connections which it has accepted are answered, each as the last one on its connection. Then, or at once when nobody lingers, what is
 * idle is closed. Node would wait a minute for connections that never sent a request, such as browsers open in advance.
 */
export default fp<DrainingOptions>(
  (app, { lingerMs }, done) => {
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
    done()
  },
  { name: 'draining', dependencies: ['config'] }
)
