import { randomUUID } from 'node:crypto'
import type { DatabaseHandle } from '../plugins/database/index.ts'
import { newId, randomText } from '../plugins/ids.ts'
import { hashSecret } from '../plugins/access/secrets.ts'

export interface TestPartner {
  partnerId: string
  userId: string
  testKey: string
  liveKey: string
  /** A personal access token with exactly these scopes. */
  token(
    scopes: string[],
    more?: { allowedIps?: string[]; environment?: 'test' | 'live'; expiresAt?: Date }
  ): Promise<string>
}

const createdAt = new Date('2026-01-01T00:00:00Z')

/** A session of a user, written straight into the tables. @returns its id. */
export const openSession = async (
  { db }: DatabaseHandle,
  { userId, partnerId }: Pick<TestPartner, 'userId' | 'partnerId'>,
  now: Date,
  expiresAt = new Date(now.getTime() + 7 * 86_400_000)
): Promise<string> => {
  const id = newId('ses')
  await db
    .insertInto('sessions')
    .values({
      id,
      user_id: userId,
      partner_id: partnerId,
      ip: '127.0.0.1',
      user_agent: null,
      created_at: now,
      last_used_at: now,
      expires_at: expiresAt,
      revoked_at: null
    })
    .execute()
  return id
}

/** A partner with a user, a test key and a live key, written straight into the tables. */
export const createPartner = async (
  { db }: DatabaseHandle,
  options: { production?: boolean } = {}
): Promise<TestPartner> => {
  const [partnerId, userId] = [randomUUID(), randomUUID()]
  const production_enabled = options.production ?? false
  await db
    .insertInto('partners')
    .values({ id: partnerId, name: 'A partner', production_enabled, created_at: createdAt })
    .execute()
  await db
    .insertInto('users')
    .values({
      id: userId,
      email: `${userId}@example.test`,
      email_key: `${userId}@example.test`,
      name: 'A user',
      password_hash: 'none',
      created_at: createdAt
    })
    .execute()
  await db.insertInto('memberships').values({ user_id: userId, partner_id: partnerId, role: 'owner' }).execute()
  const mint = async (
    kind: 'partner_key' | 'token',
    prefix: string,
    environment: 'test' | 'live',
    more: Record<string, unknown> = {}
  ) => {
    const secret = `${prefix}${randomText(40)}`
    await db
      .insertInto('credentials')
      .values({
        id: newId('crd'),
        hash: hashSecret(secret),
        kind,
        partner_id: partnerId,
        user_id: userId,
        agent_id: null,
        name: 'of a test',
        environment,
        hint: `${prefix}…${secret.slice(-4)}`,
        created_at: createdAt,
        allowed_ips: null,
        expires_at: null,
        last_used_at: null,
        revoked_at: null,
        ...more
      })
      .execute()
    return secret
  }
  return {
    partnerId,
    userId,
    testKey: await mint('partner_key', 'afg_test_', 'test'),
    liveKey: await mint('partner_key', 'afg_live_', 'live'),
    token: (scopes, { allowedIps, environment = 'test', expiresAt } = {}) =>
      mint('token', 'atlas_pat_', environment, {
        scopes,
        allowed_ips: allowedIps ?? null,
        expires_at: expiresAt ?? null
      })
  }
}

/** A response: status, headers, and the body as JSON if there is one. */
export interface Answered {
  status: number
  headers: Headers
  text: string
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests read responses that the specification describes, and assert their content
  body: any
}

/** Sends one request with a bearer credential and a JSON body. */
export const send = async (
  url: string,
  method: string,
  path: string,
  {
    key,
    body,
    headers = {},
    signal
  }: { key?: string; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal } = {}
): Promise<Answered> => {
  const response = await fetch(`${url}${path}`, {
    method,
    ...(signal === undefined ? {} : { signal }),
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) })
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson && text !== '' ? JSON.parse(text) : undefined
  }
}
