import type { Socket } from 'node:net'
import type pg from 'pg'
import type { SendStatement } from './engine.ts'
import { sendTo } from './statements.ts'

/** After this time, a connection with a pending statement is used only if all others are slow too. */
const stalledAfterMs = 20

/** A client that pipelines, and the socket that it was given. */
export interface Connected {
  client: pg.Client
  socket: Socket
}

interface SharedClient extends Connected {
  /** When each pending statement was sent, in milliseconds of a monotonic clock; oldest first, in the order of their results. */
  sentAtMs: number[]
  broken: boolean
}

/**
 * Sends what is written in this turn of the event loop together, so that the statements of requests that arrive together wake PostgreSQL once. On a busy
 * server, sending each by itself takes most of its time.
 */
const gather = (socket: Socket): void => {
  if (socket.writableCorked > 0) return
  socket.cork()
  setImmediate(() => socket.uncork())
}

export interface SharedClients {
  /** Sends a statement that is a transaction of its own. */
  send: SendStatement
  /** The number of pending statements. */
  underWay(): number
  close(): Promise<void>
}

/**
 * A few connections that pipeline the single statements of many requests. The first statement opens a connection, and the next statement reopens a broken one.
 */
export const openSharedClients = (count: number, connect: () => Promise<Connected>): SharedClients => {
  const places: (Promise<SharedClient> | undefined)[] = Array.from({ length: count }, () => undefined)
  const open: (SharedClient | undefined)[] = places.map(() => undefined)

  const openAt = (place: number): Promise<SharedClient> => {
    const forget = (): void => {
      places[place] = undefined
      open[place] = undefined
    }
    const opening = connect().then(
      ({ client, socket }) => {
        const shared: SharedClient = { client, socket, sentAtMs: [], broken: false }
        const leave = (): void => {
          shared.broken = true
          if (open[place] === shared) forget()
        }
        client.once('error', leave)
        client.once('end', leave)
        open[place] = shared
        return shared
      },
      (error: unknown) => {
        forget()
        throw error
      }
    )
    places[place] = opening
    return opening
  }

  /** Lower is better: idle connections first, then those without an old statement, by pending statements. Opening a connection costs little more than using an idle one. */
  const costOf = (shared: SharedClient | undefined, nowMs: number): number => {
    if (shared === undefined) return 0.5
    const [oldestMs] = shared.sentAtMs
    return shared.sentAtMs.length + (oldestMs !== undefined && nowMs - oldestMs > stalledAfterMs ? 1e6 : 0)
  }

  const choose = (): Promise<SharedClient> | SharedClient => {
    const nowMs = performance.now()
    let best = 0
    let lowest = Infinity
    for (let place = 0; place < count; place++) {
      const cost = costOf(open[place], nowMs)
      if (cost < lowest) [best, lowest] = [place, cost]
    }
    return open[best] ?? places[best] ?? openAt(best)
  }

  return {
    async send(text, values) {
      const chosen = choose()
      const shared = chosen instanceof Promise ? await chosen : chosen
      shared.sentAtMs.push(performance.now())
      gather(shared.socket)
      try {
        return await sendTo(shared.client, text, values)
      } finally {
        shared.sentAtMs.shift()
      }
    },
    underWay: () => open.reduce((sum, shared) => sum + (shared?.sentAtMs.length ?? 0), 0),
    async close() {
      const opened = await Promise.allSettled(places.filter((place) => place !== undefined))
      await Promise.all(
        opened.map(async (result) =>
          result.status === 'fulfilled' && !result.value.broken ? await result.value.client.end() : undefined
        )
      )
    }
  }
}
