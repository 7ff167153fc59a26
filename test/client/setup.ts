import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAtlasClient } from '../../client/index.ts'
import type { AtlasClient, ClientOptions } from '../../client/index.ts'
import type { Cleaner } from '../build-app.ts'

export interface Received {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

export type Behaviour = (request: Received, response: ServerResponse) => void

export interface OddServer {
  url: string
  received: Received[]
}

/** A server that handles its nth request with the nth behaviour, and further requests with the last one. */
export const startOddServer = async (t: Cleaner, ...behaviours: Behaviour[]): Promise<OddServer> => {
  const received: Received[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body }
      received.push(one)
      behaviours[Math.min(received.length, behaviours.length) - 1]?.(one, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received }
}

export const reply =
  (status: number, body: unknown, headers: Record<string, string> = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json',
      ...headers
    })
    response.end(JSON.stringify(body))
  }

export const problem = (status: number, code: string, headers: Record<string, string> = {}): Behaviour =>
  reply(
    status,
    { type: `/errors/${code}`, title: code, status, detail: 'As planned.', error: code, requestId: 'req_1' },
    headers
  )

/** Closes the connection without a response. */
export const reset: Behaviour = (_request, response) => void response.socket?.destroy()

/** Begins a response and closes the connection in the middle of it. */
export const cutShort: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"id": ')
  response.flushHeaders()
  setImmediate(() => response.socket?.destroy())
}

/** Never responds. */
export const hang: Behaviour = () => undefined

export const clientOf = (url: string, key: string | null, more: Partial<ClientOptions> = {}): AtlasClient =>
  createAtlasClient({ baseUrl: url, getAccessToken: () => key, ...more })
