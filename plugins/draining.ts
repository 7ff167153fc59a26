import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance {
    /** Whether the server is about to stop, so that nobody should send it anything new. */
    isDraining(): boolean
    /**
     * Tells load balancers by the readiness that the server is about to stop, and goes on answering until they have seen it; then closes the server.
     * Resolves when all that was accepted is answered.
     */
    drain(): Promise<void>
  }
}

/**
 * Lets a closing server go at once. Node closes connections that have become idle, but waits a minute for those that never sent a request, such as
 * browsers open in advance; nothing was accepted on them, so nothing is cut off.
 */
export default fp(
  (app, _options, done) => {
    const unused = new Set<Socket>()
    let closing = false
    let drained: Promise<void> | undefined
    const drain = async (): Promise<void> => {
      await delay(app.config.drainDelayMs)
      await app.close()
    }
    app.decorate('isDraining', () => drained !== undefined)
    app.decorate('drain', () => (drained ??= drain()))
    app.server.on('connection', (socket) => {
      if (closing) {
        socket.destroy()
        return
      }
      unused.add(socket)
      socket.once('close', () => unused.delete(socket))
    })
    app.server.on('request', ({ socket }) => unused.delete(socket))
    app.addHook('onSend', (_request, reply, _payload, next) => {
      // What is answered now was the last on its connection; kept alive, it would hold the server up until it times out.
      if (closing) reply.header('connection', 'close')
      next()
    })
    app.addHook('preClose', () => {
      closing = true
      for (const socket of unused) socket.destroy()
      return Promise.resolve()
    })
    done()
  },
  { name: 'draining', dependencies: ['config'] }
)
