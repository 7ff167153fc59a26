import { createHmac, randomUUID } from 'node:crypto'
import { signAccessToken } from '../../plugins/auth/access-tokens.ts'
import { newId } from '../../plugins/ids.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import type { TestApp } from '../build-app.ts'
import { createPartner, send, type TestPartner } from '../credentials.ts'
import { operations } from '../architecture/document.ts'
import { Pool } from './pool.ts'

/** A tenant with one credential of each kind, and what is known of its things. */
export interface Tenant {
  partner: TestPartner
  pool: Pool
  /** Headers that carry each kind of credential. */
  credentials: Record<string, Record<string, string>>
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** Every scope that any operation asks for. */
const everyScope = [...new Set(operations.flatMap(({ scopes }) => scopes))]

const signIn = async ({ database, config, clock }: TestApp, { userId, partnerId }: TestPartner, operator = false): Promise<{ token: string; sessionId: string }> => {
  const now = clock.now()
  const sessionId = newId('ses')
  if (operator) await database.db.updateTable('users').set({ operator: true }).where('id', '=', userId).execute()
  const expires_at = new Date(now.getTime() + 7 * 86_400_000)
  await database.db
    .insertInto('sessions')
    .values({ id: sessionId, user_id: userId, partner_id: partnerId, ip: '127.0.0.1', user_agent: null, created_at: now, last_used_at: now, expires_at, revoked_at: null })
    .execute()
  return { token: await signAccessToken(config.jwtSecret, { userId, partnerId, sessionId }, now), sessionId }
}

/** Registers an agent of its own for every kind of work an agent does, and enrols it at the bureau. */
const agentOf = async (server: TestApp, session: string, pool: Pool): Promise<string> => {
  const agent_id = `agent-${randomUUID().slice(0, 8)}`
  const { text, body } = await send(server.url, 'POST', '/api/register', { key: session, body: { agent_id } })
  pool.harvest(body)
  await send(server.url, 'POST', '/v2/api/register', { body: { agent_id } })
  const key = /afg_live_\w+/.exec(text)?.[0]
  if (key === undefined) throw new Error(`No agent could be registered: ${text}`)
  return key
}

/** A partner with every credential there is, the revoked and the forged ones included. */
export const createTenant = async (server: TestApp): Promise<Tenant> => {
  const { database } = server
  const partner = await createPartner(database)
  const pool = new Pool()
  const { token: session } = await signIn(server, partner)
  const operator = await createPartner(database)
  const revokedToken = await partner.token(everyScope)
  await database.db.updateTable('credentials').set({ revoked_at: server.clock.now() }).where('hint', 'like', `%${revokedToken.slice(-4)}`).where('partner_id', '=', partner.partnerId).execute()
  const ended = await signIn(server, partner)
  await database.db.updateTable('sessions').set({ revoked_at: server.clock.now() }).where('id', '=', ended.sessionId).execute()
  const [header, payload] = session.split('.')
  const forged = `${header}.${payload}.${createHmac('sha256', 'a guess').update(`${header}.${payload}`).digest('base64url')}`
  const credentials = {
    nobody: {},
    garbage: bearer('\xff\xfe garbage'),
    unknownKey: bearer('afg_test_0000000000000000000000000000000000000000'),
    overlong: bearer('x'.repeat(6000)),
    partnerKey: bearer(partner.testKey),
    liveKeyWithoutProduction: bearer(partner.liveKey),
    token: bearer(await partner.token(everyScope)),
    tokenWithoutScopes: bearer(await partner.token([])),
    revokedToken: bearer(revokedToken),
    session: bearer(session),
    endedSession: bearer(ended.token),
    forgedSession: bearer(forged),
    operator: bearer((await signIn(server, operator, true)).token),
    agentKey: bearer(await agentOf(server, session, pool)),
    ingest: { 'x-atlas-ingest-secret': server.config.ingestSecret ?? '' }
  }
  return { partner, pool, credentials }
}

const kindOf: Record<string, string> = { PartnerKey: 'partnerKey', PersonalAccessToken: 'token', BearerJWT: 'session', AgentKey: 'agentKey', IngestSecret: 'ingest' }

/** The kinds of credential that an operation admits. */
export const admittedKinds = ({ security, extensions }: Operation): string[] => {
  if (extensions?.['x-operator-only'] === true) return ['operator']
  const kinds = security.flat().flatMap((scheme) => kindOf[scheme] ?? [])
  return kinds.length === 0 || security.some((alternative) => alternative.length === 0) ? [...kinds, 'nobody'] : kinds
}
