import { createHmac } from 'node:crypto'
import { hashPassword } from '../../modules/identity/passwords.ts'
import { signAccessToken } from '../../plugins/access/access-tokens.ts'
import { randomText } from '../../plugins/ids.ts'
import type { Operation } from '../../plugins/operations/table.ts'
import { hashSecret } from '../../plugins/access/secrets.ts'
import type { TestApp } from '../build-app.ts'
import { createPartner, openSession, type TestPartner } from '../credentials.ts'
import { operations } from '../architecture/document.ts'
import { clientOf } from '../architecture/resources.ts'
import { password } from '../modules/identity/client.ts'
import { Pool } from './pool.ts'
import { Stock } from './stock.ts'

/** A tenant with one credential of each kind, and its known resources. */
export interface Tenant {
  partner: TestPartner
  pool: Pool
  stock: Stock
  /** Headers that carry each kind of credential. */
  credentials: Record<string, Record<string, string>>
  email: string
  /** The headers for one request. A request that ends its own credential gets a separate one. */
  present: (operation: Operation, kind: string) => Promise<Record<string, string>>
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** The balance of the tenant's agent. */
const fundsCents = 5_000_000_000

const emailOf = ({ userId }: TestPartner): string => `${userId}@example.test`

/** Computed once, because hashing is slow by design. */
let passwordHash: Promise<string> | undefined

const givePassword = async ({ database }: TestApp, { userId }: TestPartner): Promise<void> => {
  const password_hash = await (passwordHash ??= hashPassword(password))
  await database.db.updateTable('users').set({ password_hash }).where('id', '=', userId).execute()
}

/** Every scope that any operation requires. */
const everyScope = [...new Set(operations.flatMap(({ scopes }) => scopes))]

const signIn = async (
  { database, config, clock }: TestApp,
  { userId, partnerId }: TestPartner,
  operator = false
): Promise<{ token: string; sessionId: string }> => {
  const now = clock.now()
  if (operator) await database.db.updateTable('users').set({ operator: true }).where('id', '=', userId).execute()
  const sessionId = await openSession(database, { userId, partnerId }, now)
  return { token: await signAccessToken(config.jwtSecret, { userId, partnerId, sessionId }, now), sessionId }
}

/** The access token of a user with a known password, whose sessions may end. */
const signInSpare = async (server: TestApp): Promise<string> => {
  const partner = await createPartner(server.database)
  await givePassword(server, partner)
  return (await signIn(server, partner)).token
}

/** The refresh cookie of a new session, written directly into the tables, because checking a password is slow. */
const signInForCookie = async (server: TestApp, partner: TestPartner): Promise<string> => {
  const { sessionId } = await signIn(server, partner)
  const [token, created_at] = [randomText(48), server.clock.now()]
  const expires_at = new Date(created_at.getTime() + 7 * 86_400_000)
  await server.database.db
    .insertInto('refresh_tokens')
    .values({ hash: hashSecret(token), session_id: sessionId, created_at, expires_at, used_at: null })
    .execute()
  return `atlas_refresh=${token}`
}

const forge = (token: string): string => {
  const [header, payload] = token.split('.')
  return `${header}.${payload}.${createHmac('sha256', 'a guess').update(`${header}.${payload}`).digest('base64url')}`
}

/** A revoked token and an ended session. */
const makeEnded = async (
  server: TestApp,
  partner: TestPartner
): Promise<{ revokedToken: string; endedSession: string }> => {
  const { db } = server.database
  const revokedToken = await partner.token(everyScope)
  await db
    .updateTable('credentials')
    .set({ revoked_at: server.clock.now() })
    .where('hint', 'like', `%${revokedToken.slice(-4)}`)
    .where('partner_id', '=', partner.partnerId)
    .execute()
  const ended = await signIn(server, partner)
  await db.updateTable('sessions').set({ revoked_at: server.clock.now() }).where('id', '=', ended.sessionId).execute()
  return { revokedToken, endedSession: ended.token }
}

/** A partner with every kind of credential (also revoked and forged ones), a resource of every kind, and an agent with credits. */
export const createTenant = async (server: TestApp, endUser: string): Promise<Tenant> => {
  const { database } = server
  const partner = await createPartner(database)
  await givePassword(server, partner)
  const { token: session } = await signIn(server, partner)
  const another = await createPartner(database)
  const neighbour = { key: another.testKey, session: (await signIn(server, another)).token }
  const openSession = async () => (await signIn(server, partner)).sessionId
  const stock = await Stock.of({
    call: clientOf(server.url, partner.testKey),
    server,
    session,
    openSession,
    neighbour,
    endUser
  })
  const { agent = '', agentKey = '' } = stock.base
  await database.db
    .transaction()
    .execute((trx) =>
      server.app.ledger.post(trx, { walletId: agent, type: 'earn', amountCents: fundsCents, description: 'Top-up' })
    )
  const { revokedToken, endedSession } = await makeEnded(server, partner)
  const operator = await createPartner(database)
  await givePassword(server, operator)
  const credentials = {
    anonymous: {},
    garbage: bearer('\xff\xfe garbage'),
    unknownKey: bearer('afg_test_0000000000000000000000000000000000000000'),
    overlong: bearer('x'.repeat(6000)),
    partnerKey: bearer(partner.testKey),
    liveKeyWithoutProduction: bearer(partner.liveKey),
    token: bearer(await partner.token(everyScope)),
    tokenWithoutScopes: bearer(await partner.token([])),
    revokedToken: bearer(revokedToken),
    session: bearer(session),
    endedSession: bearer(endedSession),
    forgedSession: bearer(forge(session)),
    operator: bearer((await signIn(server, operator, true)).token),
    agentKey: bearer(agentKey),
    ingest: { 'x-atlas-ingest-secret': server.config.ingestSecret ?? '' },
    cookie: {}
  }
  const present = async ({ operationId }: Operation, kind: string): Promise<Record<string, string>> => {
    if (kind === 'cookie') return { cookie: await signInForCookie(server, partner) }
    if (kind === 'session' && operationId === 'changePassword') return bearer(await signInSpare(server))
    return (credentials as Record<string, Record<string, string>>)[kind] ?? {}
  }
  return { partner, pool: new Pool(), stock, credentials, email: emailOf(partner), present }
}

const kindOf: Record<string, string> = {
  PartnerKey: 'partnerKey',
  PersonalAccessToken: 'token',
  BearerJWT: 'session',
  AgentKey: 'agentKey',
  IngestSecret: 'ingest',
  RefreshCookie: 'cookie'
}

/** The kinds of credential that an operation accepts. */
export const admittedKinds = ({ security, extensions }: Operation): string[] => {
  if (extensions?.['x-operator-only'] === true) return ['operator']
  const kinds = security.flat().flatMap((scheme) => kindOf[scheme] ?? [])
  return kinds.length === 0 || security.some((alternative) => alternative.length === 0)
    ? [...kinds, 'anonymous']
    : kinds
}
