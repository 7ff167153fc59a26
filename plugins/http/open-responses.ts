import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

type Ended = () => void

/** The open responses of each connection, and what to call when they end. */
const openResponses = new WeakMap<Socket, Map<ServerResponse, Ended[]>>()

const endResponse = (open: Map<ServerResponse, Ended[]>, response: ServerResponse): void => {
  const listeners = open.get(response) ?? []
  open.delete(response)
  for (const ended of listeners) ended()
}

const responsesOf = (socket: Socket): Map<ServerResponse, Ended[]> => {
  const known = openResponses.get(socket)
  if (known !== undefined) return known
  const open = new Map<ServerResponse, Ended[]>()
  openResponses.set(socket, open)
  socket.once('close', () => {
    for (const response of open.keys()) endResponse(open, response)
  })
  return open
}

/**
 * Calls `ended` once: when the response has been sent or its connection has been closed. A response alone does not tell: when a connection is closed, Node
 * emits `close` only for the first of its pipelined responses.
 */
export const whenEnded = ({ socket }: IncomingMessage, response: ServerResponse, ended: Ended): void => {
  if (socket.closed) {
    ended()
    return
  }
  const open = responsesOf(socket)
  const listeners = open.get(response)
  if (listeners !== undefined) {
    listeners.push(ended)
    return
  }
  open.set(response, [ended])
  response.once('close', () => endResponse(open, response))
}

/** Whether a response on this connection has begun. */
export const isResponding = (socket: Socket): boolean =>
  [...(openResponses.get(socket)?.keys() ?? [])].some((response) => response.headersSent)
