import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { unavailable } from './errors/kinds.ts'

/**
 * Lets a closing server go at once. Node closes connections that have become idle, but waits a minute for those that never sent a request, such as
 * browsers open in advance; nothing was accepted on them, so nothing is cut off. A request that comes after that is refused: it was not accepted yet.
 */
export default fp(
  (app, _options, done) => {
    const unused = new Set<Socket>()
    let closing = false
    app.server.on('connection', (socket) => {
      if (closing) {
        socket.destroy()
        return
      }
      unused.add(socket)
      socket.once('close', () => unused.delete(socket))
    })
    app.server.on('request', ({ socket }) => unused.delete(socket))
    app.addHook('onRequest', (_request, _reply, next) => {
      next(closing ? unavailable('This server is closing. Ask again, and another one answers.', {}, { 'retry-after': '1' }) : undefined)
    })
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
  { name: 'draining', dependencies: ['errors'] }
)
