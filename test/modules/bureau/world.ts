import type { TestApp } from '../../build-app.ts'
import { createPartner, send, type Answered, type TestPartner } from '../../credentials.ts'
import { createOwner, type Owner } from '../agents/world.ts'

/** Settings of a server in production, whose database the test opens. */
export const productionEnv = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgres://unused@localhost/unused',
  ATLAS_ENCRYPTION_KEY: Buffer.alloc(32, 7).toString('base64'),
  ATLAS_JWT_SECRET: 'a secret of the tests that is long enough',
  LOG_LEVEL: 'silent'
}

export interface Credit {
  owner: Owner
  /** A partner of another user, appointed and enabled for production. */
  furnisher: TestPartner
  /** Registers an agent, as the user when one is given, and enrols it. @returns its key */
  register(agentId: string, owner?: Owner): Promise<string>
  enrol(agentId: string): Promise<void>
  /** Registers an agent without an owner as the user's; with its key when it is in use. */
  claim(agentId: string, owner: Owner, apiKey?: string): Promise<Answered>
  /** Reports with a key, the furnisher's unless told otherwise. */
  report(agentId: string, reportType: string, key?: string, more?: object): Promise<Answered>
  openAccount(agentId: string, key: string, creditLimit?: number): Promise<Answered>
  dispute(reportId: number, owner: Owner, reason?: string): Promise<Answered>
  confirm(reportId: number, key?: string): Promise<Answered>
  file(agentId: string): Promise<Answered['body']>
  score(agentId: string): Promise<number>
  /** How often the owner's partner was told that the agent's score changed. */
  changes(agentId: string): Promise<number>
}

export const appoint = async ({ database }: Pick<TestApp, 'database'>, partnerId: string, furnisher = true) => {
  await database.db.updateTable('partners').set({ furnisher }).where('id', '=', partnerId).execute()
}

/** Makes a user another member of a partner. */
export const join = async ({ database }: Pick<TestApp, 'database'>, userId: string, partnerId: string) => {
  await database.db
    .insertInto('memberships')
    .values({ user_id: userId, partner_id: partnerId, role: 'member' })
    .execute()
}

/** An owner and a furnisher on a server, and what they do. */
export const openCredit = async (server: TestApp): Promise<Credit> => {
  const { url, database } = server
  const owner = await createOwner(server)
  const furnisher = await createPartner(database, { production: true })
  await appoint(server, furnisher.partnerId)
  const post = async (path: string, body: object, key?: string) =>
    await send(url, 'POST', path, { ...(key === undefined ? {} : { key }), body })
  const enrol = async (agent_id: string) => void (await post('/v2/api/register', { agent_id }))
  const file: Credit['file'] = async (agentId) =>
    (await send(url, 'GET', `/v2/api/score?agent_id=${encodeURIComponent(agentId)}`)).body
  return {
    owner,
    furnisher,
    enrol,
    file,
    async register(agent_id, by) {
      const { body } = await post('/api/register', { agent_id }, await by?.token())
      await enrol(agent_id)
      return String(body.api_key)
    },
    claim: async (agent_id, by, api_key) => await post('/api/register', { agent_id, api_key }, await by.token()),
    report: (agent_id, report_type, key = furnisher.liveKey, more = {}) =>
      post('/v2/api/report', { agent_id, reporter_name: 'R', reporter_platform: 'p', report_type, ...more }, key),
    openAccount: (agent_id, key, credit_limit = 1000) =>
      post('/v2/api/account', { action: 'open', agent_id, platform: 'p', account_type: 'credit', credit_limit }, key),
    dispute: async (id, by, reason = 'This is not mine.') =>
      await post(`/v2/api/reports/${id}/dispute`, { reason }, await by.token()),
    confirm: (id, key = furnisher.liveKey) => send(url, 'POST', `/v2/api/reports/${id}/confirm`, { key }),
    score: async (agentId) => Number((await file(agentId)).score),
    async changes(agentId) {
      const rows = await database.db
        .selectFrom('events')
        .select('data')
        .where('partner_id', '=', owner.partnerId)
        .where('type', '=', 'bureau.score_changed')
        .execute()
      return rows.filter(({ data }) => data.agent_id === agentId).length
    }
  }
}
