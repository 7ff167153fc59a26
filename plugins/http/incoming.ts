import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { addressKey, addressOf } from '../access/addresses.ts'
import { whenEnded } from './open-responses.ts'
import { refuseOverload } from './overload.ts'

const mebibyte = 1024 * 1024

/** How much of unfinished bodies is kept in memory, of one address and altogether. */
const mostBytes = { address: 16 * mebibyte, total: 64 * mebibyte }

/** Numbers by key, without the keys that are at 0. */
class Tally {
  readonly #counts = new Map<string, number>()

  of(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  add(key: string, amount: number): void {
    const count = this.of(key) + amount
    if (count === 0) this.#counts.delete(key)
    else this.#counts.set(key, count)
  }
}

/** Closes new connections of an address that has as many as allowed. A proxy has all connections itself, so that there is no limit behind one. */
const limitConnections = ({ config, log, server }: FastifyInstance): void => {
  const most = config.trustProxy ? 0 : config.connectionsPerAddress
  if (most === 0) return
  const open = new Tally()
  const warned = new Set<string>()
  server.on('connection', (socket: Socket) => {
    const address = addressKey(socket.remoteAddress ?? '')
    if (open.of(address) >= most) {
      socket.destroy()
      if (!warned.has(address))
        log.warn({ address, most }, 'closing connections of an address above ATLAS_CONNECTIONS_PER_ADDRESS')
      warned.add(address)
      return
    }
    open.add(address, 1)
    socket.once('close', () => {
      open.add(address, -1)
      if (open.of(address) === 0) warned.delete(address)
    })
  })
}

const expectsBody = ({ headers }: FastifyRequest): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

/** Refuses further bodies while those that are being received take too much memory. */
const limitBodies = (app: FastifyInstance): void => {
  const received = new Tally()
  app.addHook('preParsing', (request, reply, payload, next) => {
    if (!expectsBody(request)) return next(null, payload)
    const address = addressKey(addressOf(request))
    if (received.of(address) >= mostBytes.address || received.of('total') >= mostBytes.total)
      return next(refuseOverload(app, 'bodies'))
    let bytes = 0
    const count = (amount: number): void => {
      bytes += amount
      received.add(address, amount)
      received.add('total', amount)
    }
    const forget = (): void => count(-bytes)
    payload.on('data', (chunk: Buffer | string) => count(chunk.length))
    payload.once('end', forget)
    whenEnded(request.raw, reply.raw, forget)
    next(null, payload)
  })
}

/** Bounds what clients cost before their requests are complete. */
export default fp(
  async (app) => {
    limitConnections(app)
    limitBodies(app)
  },
  { name: 'incoming', dependencies: ['config', 'errors', 'metrics', 'overload'] }
)
