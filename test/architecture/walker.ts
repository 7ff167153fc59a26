import { randomBytes } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import { signAccessToken } from '../../plugins/access/access-tokens.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import type { TestApp } from '../build-app.ts'
import { createPartner, openSession, send, type Answered } from '../credentials.ts'
import { bodyOf, examplesOf, operations, pathOf } from './document.ts'

/** Headers that every response of this server carries. */
const standing = [
  'x-request-id',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
  'ratelimit',
  'ratelimit-policy'
]

/** Computed once, because hashing is slow by design. */
let passwordHash: Promise<string> | undefined

/** Sends requests to a running server and records everything that a response must contain and does not. */
export class Walker {
  readonly faults: string[] = []
  constructor(private readonly server: TestApp) {}

  /** Sends one request. Checks the headers that every response has, and the form of an error. */
  async call(
    operation: Operation,
    options: Parameters<typeof send>[3] = {},
    method: string = operation.method,
    path = pathOf(operation)
  ): Promise<Answered> {
    const response = await send(this.server.url, method, path, options)
    const missing = standing.filter((name) => response.headers.get(name) === null)
    this.expect(operation, missing.length === 0, `the response lacks ${missing.join(', ')}`)
    if (response.status >= 400) {
      const type = response.headers.get('content-type')
      const { title, status, error, requestId } = (response.body ?? {}) as Record<string, unknown>
      const wellFormed =
        method === 'HEAD' ||
        (typeof title === 'string' &&
          title === error &&
          status === response.status &&
          requestId === response.headers.get('x-request-id'))
      this.expect(
        operation,
        type === 'application/problem+json' && wellFormed,
        `${response.status} as ${type}: ${response.text.slice(0, 200)}`
      )
    }
    return response
  }

  expect({ operationId, method, path }: Operation, condition: boolean, otherwise: string): void {
    if (!condition) this.faults.push(`${operationId} (${method} ${path}): ${otherwise}`)
  }

  /** A request as in the specification's example: the body and its content type. */
  exampleOf(operation: Operation): Parameters<typeof send>[3] {
    const [entry] = Object.entries(bodyOf(operation))
    if (entry === undefined) return {}
    const [mediaType, media] = entry
    const [example] = examplesOf(media)
    const body =
      mediaType === 'application/x-www-form-urlencoded'
        ? new URLSearchParams(example as Record<string, string>).toString()
        : JSON.stringify(example)
    return { body, headers: { 'content-type': mediaType } }
  }

  /** A credential of a new partner that the operation accepts; empty where it requires none. */
  async credentialFor(operation: Operation): Promise<{ key?: string; headers?: Record<string, string> }> {
    const schemes = operation.security.flat()
    if (schemes.includes('IngestSecret'))
      return { headers: { 'x-atlas-ingest-secret': this.server.config.ingestSecret ?? '' } }
    if (schemes.includes('PartnerKey')) return { key: (await createPartner(this.server.database)).testKey }
    if (schemes.includes('BearerJWT'))
      return { key: await this.session(operation.extensions?.['x-operator-only'] === true) }
    if (schemes.includes('PersonalAccessToken')) return { key: await this.token([...operation.scopes]) }
    if (schemes.includes('AgentKey')) return { key: await this.agentKey() }
    return {}
  }

  async token(scopes: string[]): Promise<string> {
    return await (await createPartner(this.server.database)).token(scopes)
  }

  /** Signs in a new user, as an operator if requested. */
  private async session(operator: boolean): Promise<string> {
    const { database, clock, config } = this.server
    const { partnerId, userId } = await createPartner(database)
    const now = clock.now()
    const password_hash = await (passwordHash ??= hash('a password of no user'))
    await database.db.updateTable('users').set({ operator, password_hash }).where('id', '=', userId).execute()
    const sessionId = await openSession(database, { partnerId, userId }, now)
    return await signAccessToken(config.jwtSecret, { userId, partnerId, sessionId }, now)
  }

  /** Registers a new agent. Finds the key in the response by its form. */
  private async agentKey(): Promise<string | undefined> {
    const register = operations.find(({ method, path }) => method === 'POST' && path === '/api/register')
    if (register === undefined) return undefined
    const { text } = await send(this.server.url, 'POST', '/api/register', {
      body: { agent_id: `agent-${randomBytes(6).toString('hex')}` }
    })
    return /afg_live_\w+/.exec(text)?.[0]
  }
}
