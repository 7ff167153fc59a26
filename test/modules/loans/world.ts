import { assignAgentKey } from '../../../plugins/access/agent-keys.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import { startApp, type Cleaner, type TestApp, type TestOptions } from '../../build-app.ts'
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
  /** A furnisher's report. Returns the score after it. */
  report(reportType: string, amount?: number): Promise<number>
  score(): Promise<number>
}

export interface World extends TestApp {
  partnerId: string
  ownerId: string
  /** Of another partner than the one that owns the agents. */
  furnisherKey: string
  /** An agent of the partner's user, enrolled by default. */
  agent(agentId: string, options?: { enrolled?: boolean; owned?: boolean }): Promise<TestAgent>
  /** The events about an agent, oldest first. */
  events(agentId: string): Promise<{ type: string; data: Record<string, unknown> }[]>
}

export const startWorld = async (t: Cleaner, options: TestOptions = {}): Promise<World> => {
  const server = await startApp(t, options)
  const { app, url, database } = server
  const [partner, furnisher] = [await createPartner(database), await createPartner(database)]

  const makeAgent = async (agentId: string, owned: boolean): Promise<string> => {
    const { body } = await send(url, 'POST', '/api/register', { body: { agent_id: agentId } })
    if (owned) {
      const owner = { owner_user_id: partner.userId, owner_partner_id: partner.partnerId }
      await database.db.updateTable('agents').set(owner).where('agent_id', '=', agentId).execute()
      await transact(database.db, (trx) => assignAgentKey(trx, agentId, partner.partnerId))
    }
    return String(body.api_key)
  }

  const agent: World['agent'] = async (agentId, { enrolled = true, owned = true } = {}) => {
    const key = await makeAgent(agentId, owned)
    if (enrolled) await send(url, 'POST', '/v2/api/register', { body: { agent_id: agentId } })
    const score = async () => Number((await send(url, 'GET', `/v2/api/score?agent_id=${agentId}`)).body.score)
    return {
      agentId,
      key,
      borrow: (amount, purpose) =>
        send(url, 'POST', '/api/loans', { key, body: { amount, ...(purpose === undefined ? {} : { purpose }) } }),
      repay: (loanId, amount) => send(url, 'POST', `/api/loans/${loanId}/repay`, { key, body: { amount } }),
      loans: async () => (await send(url, 'GET', '/api/loans', { key })).body,
      balance: async () => ((await app.ledger.balance(database.db, agentId)) ?? 0) / 100,
      topUp: async (credits) => {
        await transact(database.db, (trx) =>
          app.ledger.post(trx, { walletId: agentId, type: 'earn', amountCents: credits * 100, description: 'Top-up' })
        )
      },
      report: async (report_type, amount) => {
        const body = {
          agent_id: agentId,
          reporter_name: 'A furnisher',
          reporter_platform: 'elsewhere',
          report_type,
          amount
        }
        const answer = await send(url, 'POST', '/v2/api/report', { key: furnisher.testKey, body })
        return answer.status === 200 ? Number(answer.body.new_score) : Number.NaN
      },
      score
    }
  }

  const events: World['events'] = async (agentId) => {
    const rows = await database.db
      .selectFrom('events')
      .select(['type', 'data'])
      .where('partner_id', '=', partner.partnerId)
      .orderBy('position')
      .execute()
    return rows.filter(({ data }) => data.agent_id === agentId)
  }

  return {
    ...server,
    partnerId: partner.partnerId,
    ownerId: partner.userId,
    furnisherKey: furnisher.testKey,
    agent,
    events
  }
}

/** Reports payments on time until the score is at least `score`. */
export const raiseTo = async (agent: TestAgent, least: number): Promise<number> => {
  let score = await agent.score()
  while (score < least) score = await agent.report('payment_ontime')
  return score
}
