import { transact } from '../../../plugins/database/transaction.ts'
import { newId, randomText } from '../../../plugins/ids.ts'
import { hashSecret } from '../../../plugins/secrets.ts'
import { startApp, type Cleaner, type TestApp } from '../../build-app.ts'
import { createPartner, send, type Answered } from '../../credentials.ts'

export const dayMs = 86_400_000

export interface TestAgent {
  agentId: string
  key: string
  borrow(amount: number, purpose?: string): Promise<Answered>
  repay(loanId: number, amount: number): Promise<Answered>
  loans(): Promise<Answered['body']>
  balance(): Promise<number>
  /** Buys credits, as a paid checkout would. */
  topUp(credits: number): Promise<void>
  /** A report of a furnisher; answers the score after it. */
  report(reportType: string, amount?: number): Promise<number>
  score(): Promise<number>
}

export interface World extends TestApp {
  partnerId: string
  furnisherKey: string
  /** An agent that the partner's user owns, enrolled unless told otherwise. */
  agent(agentId: string, options?: { enrolled?: boolean; owned?: boolean }): Promise<TestAgent>
  /** The events of the partner, oldest first. */
  events(): Promise<{ type: string; data: Record<string, unknown> }[]>
}

export const startWorld = async (t: Cleaner): Promise<World> => {
  const server = await startApp(t)
  const { app, url, database, clock } = server
  const partner = await createPartner(database)

  const makeAgent = async (agentId: string, owned: boolean): Promise<string> => {
    const secret = `afg_live_${randomText(40)}`
    await transact(database.db, async (trx) => {
      await app.ledger.openWallet(trx, agentId)
      const owner_partner_id = owned ? partner.partnerId : null
      const common = { agent_id: agentId, name: agentId, created_at: clock.now() }
      await trx
        .insertInto('agents')
        .values({ ...common, owner_user_id: owned ? partner.userId : null, owner_partner_id, daily_limit_cents: null, per_transaction_limit_cents: null, api_key: Buffer.alloc(1) })
        .execute()
      const nothing = { user_id: null, allowed_ips: null, expires_at: null, last_used_at: null, revoked_at: null }
      await trx
        .insertInto('credentials')
        .values({ ...common, ...nothing, id: newId('crd'), hash: hashSecret(secret), kind: 'agent_key', partner_id: owner_partner_id, environment: 'live', hint: 'afg_live_…' })
        .execute()
    })
    return secret
  }

  const agent: World['agent'] = async (agentId, { enrolled = true, owned = true } = {}) => {
    const key = await makeAgent(agentId, owned)
    if (enrolled) await send(url, 'POST', '/v2/api/register', { body: { agent_id: agentId } })
    const score = async () => Number((await send(url, 'GET', `/v2/api/score?agent_id=${agentId}`)).body.score)
    return {
      agentId,
      key,
      borrow: (amount, purpose) => send(url, 'POST', '/api/loans', { key, body: { amount, ...(purpose === undefined ? {} : { purpose }) } }),
      repay: (loanId, amount) => send(url, 'POST', `/api/loans/${loanId}/repay`, { key, body: { amount } }),
      loans: async () => (await send(url, 'GET', '/api/loans', { key })).body,
      balance: async () => ((await app.ledger.balance(database.db, agentId)) ?? 0) / 100,
      topUp: async (credits) => {
        await transact(database.db, (trx) => app.ledger.post(trx, { walletId: agentId, type: 'earn', amountCents: credits * 100, description: 'Top-up' }))
      },
      report: async (report_type, amount) => {
        const body = { agent_id: agentId, reporter_name: 'A furnisher', reporter_platform: 'elsewhere', report_type, amount }
        const answer = await send(url, 'POST', '/v2/api/report', { key: partner.testKey, body })
        return answer.status === 200 ? Number(answer.body.new_score) : Number.NaN
      },
      score
    }
  }

  const events: World['events'] = async () =>
    await database.db.selectFrom('events').select(['type', 'data']).where('partner_id', '=', partner.partnerId).orderBy('position').execute()

  return { ...server, partnerId: partner.partnerId, furnisherKey: partner.testKey, agent, events }
}

/** Reports until the score is exactly this one, from 500 on; possible for what payments in time, disputes and the like add up to. */
export const raiseTo = async (agent: TestAgent, least: number): Promise<number> => {
  let score = await agent.score()
  while (score < least) score = await agent.report('payment_ontime')
  return score
}
