import { signAccessToken } from '../../../plugins/access/access-tokens.ts'
import { startApp, type Cleaner, type TestApp, type TestOptions } from '../../build-app.ts'
import { createPartner, openSession, send, type Answered, type TestPartner } from '../../credentials.ts'

export interface Owner {
  userId: string
  partnerId: string
  partner: TestPartner
  /** A fresh access token of the owner's session, by the test's clock. */
  token(): Promise<string>
}

/** A signed-in user with their own partner, written directly into the tables. */
export const createOwner = async (
  { database, clock, config }: TestApp,
  options: { production?: boolean } = {}
): Promise<Owner> => {
  const partner = await createPartner(database, options)
  const { partnerId, userId } = partner
  const sessionId = await openSession(database, partner, clock.now(), new Date('2030-01-01'))
  return {
    userId,
    partnerId,
    partner,
    token: () => signAccessToken(config.jwtSecret, { userId, partnerId, sessionId }, clock.now())
  }
}

export interface World extends TestApp {
  owner: Owner
  /** Sends a request as the owner. */
  asOwner(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answered>
  /** Sends a request with a key, or anonymously. */
  as(
    key: string | undefined,
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>
  ): Promise<Answered>
  /** Registers an agent of the owner and gives it credits. Returns its key. */
  fund(agentId: string, credits: number): Promise<string>
  balance(agentId: string): Promise<number>
  /** The types of the owner's events so far. */
  eventTypes(): Promise<string[]>
}

/** A server with a signed-in owner. `known` is an owner from before a restart on the same database and keys. */
export const openWorld = async (t: Cleaner, options: TestOptions = {}, known?: Owner): Promise<World> => {
  const server = await startApp(t, options)
  const owner = known ?? (await createOwner(server))
  const as: World['as'] = (key, method, path, body, headers = {}) =>
    send(server.url, method, path, { ...(key === undefined ? {} : { key }), body, headers })
  const asOwner: World['asOwner'] = async (method, path, body, headers) =>
    await as(await owner.token(), method, path, body, headers)
  return {
    ...server,
    owner,
    as,
    asOwner,
    async fund(agentId, credits) {
      const { status, body } = await asOwner('POST', '/api/register', { agent_id: agentId })
      if (status !== 201) throw new Error(`Registering ${agentId} returned ${status}.`)
      const posting = {
        walletId: agentId,
        type: 'earn' as const,
        amountCents: credits * 100,
        description: `Top-up: ${credits} credits`
      }
      if (credits > 0) await server.database.db.transaction().execute((trx) => server.app.ledger.post(trx, posting))
      return String(body.api_key)
    },
    balance: async (agentId) =>
      Number((await as(undefined, 'GET', `/api/balance?agent_id=${agentId}`)).body.agent.balance),
    async eventTypes() {
      const rows = await server.database.db
        .selectFrom('events')
        .select('type')
        .where('partner_id', '=', owner.partnerId)
        .orderBy('position')
        .execute()
      return rows.map(({ type }) => type)
    }
  }
}
