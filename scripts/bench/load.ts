import { connect, type Socket } from 'node:net'
import { freshKey, type BenchCase } from './exchange.ts'

/** The result of one round of a measurement. */
export interface Round {
  /** The duration of each request. */
  timesMs: number[]
  seconds: number
}

export interface Measured {
  perSecond: number
  p50Ms: number
  p99Ms: number
}

/** The quantile `share` of sorted values. */
const quantile = (sorted: number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0

export const sumUp = (rounds: Round[]): Measured => {
  const timesMs = rounds.flatMap((round) => round.timesMs).sort((a, b) => a - b)
  const seconds = rounds.reduce((sum, round) => sum + round.seconds, 0)
  return { perSecond: timesMs.length / seconds, p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99) }
}

/** The text of a request, with a new key each time if the case has keys. */
const composer = (
  host: string,
  { method, headers, keyed }: BenchCase,
  { path, body }: BenchCase['requests'][number]
): (() => string) => {
  const text = body === undefined ? '' : JSON.stringify(body)
  const all = { host, ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(text)) }) }
  const head = `${method} ${path} HTTP/1.1\r\n${Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}`
  const whole = `${head}\r\n${text}`
  return keyed === true ? () => `${head}idempotency-key: ${freshKey()}\r\n\r\n${text}` : () => whole
}

const nothing = Buffer.alloc(0)
const patienceMs = 30_000

/**
 * Sends requests in sequence on a connection.
 * @param next returns the next request; undefined to stop.
 * @throws Error when the connection breaks, a response takes more than 30 s or has no length, or there is an unexpected response.
 */
const converse = (
  socket: Socket,
  next: () => string | undefined,
  note: (status: number, timeMs: number) => void
): Promise<void> =>
  new Promise((done, fail) => {
    socket.setTimeout(patienceMs, () => fail(new Error('There was no response in time.')))
    let sentAt = 0
    let head: Buffer = nothing
    let status = 0
    let missing = 0
    const send = (): void => {
      const text = next()
      if (text === undefined) {
        done()
        return
      }
      sentAt = performance.now()
      socket.write(text)
    }
    const readHead = (part: Buffer): void => {
      head = head.length === 0 ? part : Buffer.concat([head, part])
      const end = head.indexOf('\r\n\r\n')
      if (end < 0) return
      const text = head.toString('latin1', 0, end)
      const length = /\r\ncontent-length: (\d+)/i.exec(text)?.[1]
      if (length === undefined) fail(new Error(`The response has no length: ${text}`))
      status = Number(text.slice(9, 12))
      missing = Number(length) - (head.length - end - 4)
      head = nothing
    }
    socket.on('data', (part) => {
      if (missing > 0) missing -= part.length
      else readHead(part)
      if (missing < 0) fail(new Error('There was more data than one response.'))
      if (missing !== 0 || head !== nothing) return
      note(status, performance.now() - sentAt)
      send()
    })
    socket.once('connect', send)
    socket.once('error', fail)
    socket.once('close', () => fail(new Error('The connection was closed.')))
  })

/**
 * Sends the requests of a case in turn for some seconds, on connections that each wait for a response before the next request. Uses sockets, because a full HTTP
 * client takes as long per response as a server without a database and would itself be measured (decision 24).
 * @throws Error when a response is not a success, because a measurement of failures is useless.
 */
export const load = async (url: string, bench: BenchCase, connections: number, seconds: number): Promise<Round> => {
  const address = new URL(url)
  const requests = bench.requests.map((request) => composer(address.host, bench, request))
  const timesMs: number[] = []
  let turn = 0
  let failed = 0
  const begun = performance.now()
  const next = (): string | undefined =>
    performance.now() - begun < seconds * 1000 ? requests[turn++ % requests.length]?.() : undefined
  const note = (status: number, timeMs: number): void => {
    timesMs.push(timeMs)
    if (status < 200 || status > 299) failed++
  }
  const sockets = Array.from({ length: connections }, () =>
    connect({ host: address.hostname, port: Number(address.port), noDelay: true })
  )
  try {
    await Promise.all(sockets.map((socket) => converse(socket, next, note)))
  } finally {
    for (const socket of sockets) socket.destroy()
  }
  if (failed > 0 || timesMs.length === 0)
    throw new Error(`${bench.name}: ${failed} of ${timesMs.length} responses were not successful.`)
  return { timesMs, seconds: (performance.now() - begun) / 1000 }
}
