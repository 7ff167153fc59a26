import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Environment } from '../../../plugins/access/caller.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import { hashSecret } from '../../../plugins/access/secrets.ts'
import type { Cleaner, TestApp } from '../../build-app.ts'

/** A partner with a test key. */
export const createPartner = async (db: Db): Promise<{ partnerId: string; key: string }> => {
  const partnerId = newId('ptr')
  const key = newId('afg_test')
  const created_at = new Date('2026-06-01T00:00:00Z')
  await db.insertInto('partners').values({ id: partnerId, name: 'Acme', created_at }).execute()
  await db
    .insertInto('credentials')
    .values({
      id: newId('key'),
      hash: hashSecret(key),
      kind: 'partner_key',
      partner_id: partnerId,
      user_id: null,
      agent_id: null,
      name: 'test',
      environment: 'test',
      allowed_ips: null,
      hint: 'afg_test_…',
      created_at,
      expires_at: null,
      last_used_at: null,
      revoked_at: null
    })
    .execute()
  return { partnerId, key }
}

/** The parts of a response that tests read. */
export interface Body {
  [field: string]: unknown
  id: string
  secret: string
  status: unknown
  version: number
  items: Body[]
  nextCursor: string | null
  attempts: { at: string; status: number | null; latency_ms: number; response_body: string | null; error?: string }[]
}

export interface ApiAnswer {
  status: number
  headers: Headers
  body: Body
}

export type Api = (method: string, path: string, body?: unknown, headers?: Record<string, string>) => Promise<ApiAnswer>

/** A client of the server with one partner's key. */
export const createApi =
  (url: string, key: string): Api =>
  async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) })
    })
    const text = await response.text()
    return { status: response.status, headers: response.headers, body: (text === '' ? {} : JSON.parse(text)) as Body }
  }

export interface Received {
  path: string
  headers: IncomingHttpHeaders
  raw: string
  event: { id: string; type: string; environment: string; created_at: string; data: Record<string, unknown> }
}

export type Behaviour = (request: IncomingMessage, response: ServerResponse, received: Received) => void

export const respond =
  (status: number, text = '', headers: Record<string, string> = {}): Behaviour =>
  (_request, response) => {
    response.writeHead(status, headers).end(text)
  }

export interface Receiver {
  url: string
  received: Received[]
  /** Sets its behaviour from now on. */
  behave(behaviour: Behaviour): void
}

/** A receiver of webhooks on loopback. */
export const startReceiver = async (t: Cleaner, behaviour: Behaviour = respond(200, 'ok')): Promise<Receiver> => {
  const received: Received[] = []
  let current = behaviour
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8')
      const one: Received = {
        path: request.url ?? '',
        headers: request.headers,
        raw,
        event: JSON.parse(raw) as Received['event']
      }
      received.push(one)
      current(request, response, one)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    behave(next) {
      current = next
    }
  }
}

/** Publishes events as any effect does. */
export const publish = async (
  { app, database }: TestApp,
  partnerId: string,
  types: string[],
  data: Record<string, unknown> = {},
  environment: Environment = 'test'
): Promise<string[]> =>
  await transact(database.db, (trx) =>
    app.outbox.publish(
      trx,
      types.map((type) => ({ partnerId, environment, type, data }))
    )
  )

export const hookFor = async (api: Api, url: string, events: string[] = ['*']): Promise<Body> =>
  (await api('POST', '/v1/webhooks', { url, events })).body
