import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { Transform } from 'node:stream'
import type { Cleaner } from '../build-app.ts'

/**
 * How the connection behaves: `open` forwards all data, `cut` resets connections and refuses new ones, `silent` accepts all data and forwards nothing,
 * like a network that loses every packet.
 */
export type LineState = 'open' | 'cut' | 'silent'

export interface TcpProxy {
  port: number
  /** Changes the state for existing and new connections. */
  become(state: LineState): void
  /** Resets every existing connection. New ones are served. */
  dropAll(): void
  /** Delay of each piece of data in each direction, in milliseconds. */
  delayMs: number
}

/** A proxy for a server on loopback that a test can slow down, silence and cut. */
export const startTcpProxy = async (t: Cleaner, targetPort: number): Promise<TcpProxy> => {
  const sockets = new Set<Socket>()
  let state: LineState = 'open'
  const proxy: TcpProxy = {
    port: 0,
    delayMs: 0,
    become(next) {
      state = next
      if (next === 'cut') proxy.dropAll()
    },
    dropAll() {
      for (const socket of sockets) socket.resetAndDestroy()
    }
  }
  /** Forwards data according to the current state. Data swallowed while silent never arrives. */
  const line = () =>
    new Transform({
      transform(chunk: Buffer, _encoding, done) {
        const pass = () => (state === 'silent' ? done() : done(null, chunk))
        if (proxy.delayMs === 0) pass()
        else setTimeout(pass, proxy.delayMs)
      }
    })
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1')
    for (const [socket, other] of [
      [near, far],
      [far, near]
    ] as const) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
    }
    if (state === 'cut') near.resetAndDestroy()
    near.pipe(line()).pipe(far)
    far.pipe(line()).pipe(near)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  proxy.port = (server.address() as AddressInfo).port
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return proxy
}
