import assert from 'node:assert/strict'
import { recount } from '../../../modules/bureau/history.ts'
import { findMiscounted } from '../../../modules/bureau/queries/recount.ts'
import { ageInDays, scoreOf } from '../../../modules/bureau/score.ts'
import { transact } from '../../../plugins/database/transaction.ts'
import type { TestApp } from '../../build-app.ts'
import { send, type Answered } from '../../credentials.ts'
import { createOwner, type Owner } from '../agents/world.ts'
import { farmedAgents, signUps, victims, type Step } from './farming-steps.ts'
import { join, openCredit, type Credit } from './world.ts'

const dayMs = 86_400_000

/** What the servers of the plays lend, in credits. */
export const limits = { total: 500, perOwner: 220 }

/** One person with several sign-ups and many agents, and an owner of other agents whom the person wishes ill. */
export class Farmer {
  readonly agents: string[]
  readonly victims: string[]
  readonly reached = new Set<string>()
  private readonly keys = new Map<string, string>()
  private readonly reports: number[] = []
  private readonly accounts: { id: number; agentId: string; key: string }[] = []

  private constructor(
    private readonly server: TestApp,
    private readonly credit: Credit,
    readonly people: Owner[],
    mark: string
  ) {
    this.agents = Array.from({ length: farmedAgents }, (_, index) => `farmed-${mark}-${index}`)
    this.victims = Array.from({ length: victims }, (_, index) => `victim-${mark}-${index}`)
  }

  /** Signs up; the first user is also a member of the second one's partner. */
  static async signUp(server: TestApp, mark: string): Promise<Farmer> {
    const credit = await openCredit(server)
    const people: Owner[] = []
    for (let n = 0; n < signUps; n++) people.push(await createOwner(server, { production: true }))
    await join(server, people[0]!.userId, people[1]!.partnerId)
    const farmer = new Farmer(server, credit, people, mark)
    for (const victim of farmer.victims) {
      await credit.register(victim, credit.owner)
      for (const kind of ['payment_ontime', 'payment_late', 'account_opened'])
        await farmer.note(credit.report(victim, kind))
    }
    return farmer
  }

  private async note(answer: Promise<Answered>): Promise<Answered> {
    const answered = await answer
    const { status, body } = answered
    if (status === 200 && body.report_type !== undefined) this.reports.push(Number(body.id))
    this.reached.add(status < 300 ? String(body.message ?? body.status ?? 'done') : `${status} ${body.error}`)
    return answered
  }

  private person(index: number): Owner {
    return this.people[index % signUps]!
  }

  /** A credential of a sign-up, whatever it has. */
  private async credential(index: number, kind: number): Promise<string> {
    const { partner } = this.person(index)
    if (kind === 0) return partner.testKey
    if (kind === 1) return await partner.token(['bureau:write'], { environment: 'live' })
    return partner.liveKey
  }

  private async post(path: string, body: object | undefined, key?: string): Promise<Answered> {
    return await this.note(
      send(this.server.url, 'POST', path, { ...(body && { body }), ...(key === undefined ? {} : { key }) })
    )
  }

  private async register(agentId: string, owner?: Owner, api_key?: string): Promise<void> {
    const { body } = await this.post('/api/register', { agent_id: agentId, api_key }, await owner?.token())
    if (body.api_key !== undefined) this.keys.set(agentId, String(body.api_key))
    if (body.claimed === true) this.reached.add('claimed')
    if (owner === undefined || body.claimed !== true) return
    const { url } = this.server
    const status = await send(url, 'GET', `/api/status?agent_id=${agentId}`, { key: await owner.token() })
    this.keys.set(agentId, String(status.body.agent.api_key))
  }

  private async repay(agentId: string, credits: number): Promise<void> {
    const key = this.keys.get(agentId)
    if (key === undefined) return
    const { body } = await send(this.server.url, 'GET', '/api/loans', { key })
    const owed = (body.loans as { id: number; outstanding: number }[]).find(({ outstanding }) => outstanding > 0)
    if (owed === undefined) return
    const top = { walletId: agentId, type: 'earn' as const, amountCents: credits * 100, description: 'Top-up' }
    await transact(this.server.database.db, (trx) => this.server.app.ledger.post(trx, top))
    await this.post(`/api/loans/${owed.id}/repay`, { amount: credits }, key)
  }

  /** Takes a step; a report of the farmer is on an agent of its own, a slander on a victim. */
  async take(step: Step): Promise<void> {
    const { credit } = this
    const agentId = 'agent' in step ? this.agents[step.agent]! : ''
    switch (step.do) {
      case 'register':
        return await this.register(agentId)
      case 'register own':
      case 'claim':
        return await this.register(agentId, this.person(step.by))
      case 'claim with key':
        return await this.register(agentId, this.person(step.by), this.keys.get(agentId))
      case 'enrol':
        return void (await this.post('/v2/api/register', { agent_id: agentId }))
      case 'praise':
        for (let n = 0; n < 4; n++) await this.note(credit.report(agentId, 'payment_ontime'))
        return
      case 'report':
      case 'slander': {
        const about = step.do === 'report' ? agentId : this.victims[step.agent % victims]!
        // Some by the agent itself.
        const key = step.with === 3 ? (this.keys.get(agentId) ?? 'none') : await this.credential(step.by, step.with)
        return void (await this.note(credit.report(about, step.kind, key, { amount: step.amount })))
      }
      case 'open account': {
        const key = await this.credential(step.by, step.with)
        const { status, body } = await this.note(credit.openAccount(agentId, key, step.amount))
        if (status === 200) this.accounts.push({ id: body.account_id, agentId, key })
        return
      }
      case 'close account': {
        const account = this.accounts[step.at % Math.max(1, this.accounts.length)]
        if (account === undefined) return
        const closing = { action: 'close', agent_id: account.agentId, account_id: account.id }
        return void (await this.post('/v2/api/account', closing, account.key))
      }
      case 'dispute':
      case 'confirm': {
        const id = this.reports[step.at % Math.max(1, this.reports.length)] ?? 1
        const own = this.person(step.by)
        if (step.do === 'dispute') return void (await this.note(credit.dispute(id, own)))
        return void (await this.note(credit.confirm(id, step.at % 3 === 0 ? undefined : own.partner.liveKey)))
      }
      case 'borrow':
        return void (await this.post('/api/loans', { amount: step.amount }, this.keys.get(agentId) ?? 'none'))
      case 'repay':
        return await this.repay(agentId, step.amount)
      case 'turn the clock':
        this.server.clock.advance(step.days * dayMs)
        await this.server.app.jobs.run('loans')
        return await this.server.app.jobs.run('drop disputed reports')
    }
  }

  /** Pays all loans back, so that the next play begins without any. */
  async settle(): Promise<void> {
    for (const agentId of this.agents) await this.repay(agentId, 300)
  }

  async scores(agentIds: string[]): Promise<(number | undefined)[]> {
    return await Promise.all(
      agentIds.map(async (agentId) => (await this.credit.file(agentId)).score as number | undefined)
    )
  }

  private async historyOf(agentId: string) {
    const { db } = this.server.database
    const events = await db.selectFrom('bureau_events').selectAll().where('agent_id', '=', agentId).execute()
    return events.map(({ amount_cents: amountCents, partner_id: partnerId, ...event }) => ({
      ...event,
      amountCents,
      partnerId
    }))
  }

  /** The partners of which the agent's owner is a member. */
  private async ownersOf(agentId: string): Promise<string[]> {
    const { db } = this.server.database
    const rows = await db
      .selectFrom('agents')
      .innerJoin('memberships', 'memberships.user_id', 'agents.owner_user_id')
      .select('memberships.partner_id')
      .where('agent_id', '=', agentId)
      .execute()
    return rows.map((row) => row.partner_id)
  }

  /** Every score follows from what others than the agent's owner reported. */
  async assertScores(): Promise<void> {
    await Promise.all(this.agents.map((agentId) => this.assertScore(agentId)))
  }

  /** The stored counters agree with a recount. */
  async assertCounters(): Promise<void> {
    assert.deepEqual(await findMiscounted(this.server.database.db), [])
  }

  private async assertScore(agentId: string): Promise<void> {
    const { db } = this.server.database
    const enrolments = db.selectFrom('bureau_agents').select('enrolled_at').where('agent_id', '=', agentId)
    const enrolment = await enrolments.executeTakeFirst()
    if (enrolment === undefined) return
    const own = await this.ownersOf(agentId)
    const events = await this.historyOf(agentId)
    if (events.some(({ state }) => state === 'own_agent')) this.reached.add('own_agent')
    const others = events.filter(({ partnerId }) => partnerId === null || !own.includes(partnerId))
    const age = ageInDays(enrolment.enrolled_at, this.server.clock.now())
    assert.deepEqual(await this.scores([agentId]), [scoreOf(recount(others), age).score], agentId)
  }

  /** Reports by any of the farmer's partners. */
  async ownReports(): Promise<number> {
    const { db } = this.server.database
    const partnerIds = this.people.map(({ partnerId }) => partnerId)
    return (await db.selectFrom('bureau_events').select('id').where('partner_id', 'in', partnerIds).execute()).length
  }

  async assertLending(): Promise<void> {
    const loans = await this.server.database.db
      .selectFrom('loans')
      .selectAll()
      .where('status', '<>', 'repaid')
      .execute()
    const owed = (some: typeof loans) =>
      some.reduce((sum, loan) => sum + loan.amount_cents - loan.amount_repaid_cents, 0) / 100
    assert.ok(owed(loans) <= limits.total)
    assert.ok(owed(loans.filter((loan) => loan.without_owner)) <= limits.perOwner)
    for (const { userId } of this.people) {
      const lent = loans.filter((loan) => loan.owner_user_id === userId && !loan.without_owner)
      assert.ok(owed(lent) <= limits.perOwner)
    }
  }
}
