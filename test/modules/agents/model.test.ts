import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { verifyLedger } from '../../../plugins/ledger/verify.ts'
import { openTestDatabase, TestClock } from '../../build-app.ts'
import type { Answered } from '../../credentials.ts'
import { search } from '../../search.ts'
import { openWorld, type World } from './world.ts'

/** The expected state of one agent. Amounts are in hundredths of a credit. */
interface Model {
  agentId: string
  key: string
  status: 'active' | 'paused' | 'revoked'
  pauseReason: 'owner' | 'debt' | null
  balance: number
  /** Approval requests. Decided ones are not `open`. */
  approvals: { id: number; amount: number; open: boolean }[]
  payments: Payment[]
  owed: number
}

/** A payment in whole dollars. */
interface Payment {
  intent: string
  paid: number
  refunds: { id: string; dollars: number; ended: boolean }[]
  dispute?: { id: string; status: 'open' | 'won' | 'lost' }
}

const refundedOf = ({ refunds }: Payment): number =>
  refunds.reduce((sum, { dollars, ended }) => sum + (ended ? 0 : dollars), 0)

/** The total reversed by refunds and by the dispute, which covers the whole payment. */
const reversedOf = (payment: Payment): number =>
  payment.dispute === undefined || payment.dispute.status === 'won' ? refundedOf(payment) : payment.paid

/** Pauses an agent with a debt, and resumes it once the debt is paid. */
const owe = (model: Model, owed: number): void => {
  if (owed === model.owed) return
  model.owed = owed
  if (owed === 0 && model.pauseReason === 'debt') Object.assign(model, { status: 'active', pauseReason: null })
  if (owed > 0 && model.status === 'active') Object.assign(model, { status: 'paused', pauseReason: 'debt' })
}

/** Applies the difference that a change makes to the reversed amount: takes credits, or gives them back. */
const settle = (model: Model, payment: Payment, change: () => void): void => {
  const before = reversedOf(payment)
  change()
  const due = (reversedOf(payment) - before) * 10_000
  const taken = due > 0 ? Math.min(due, model.balance) : due + Math.min(-due, model.owed)
  model.balance -= taken
  owe(model, model.owed + due - taken)
}

type Kind =
  | 'topUp'
  | 'spend'
  | 'ask'
  | 'approve'
  | 'approveTogether'
  | 'reject'
  | 'pause'
  | 'resume'
  | 'revoke'
  | 'refund'
  | 'endRefund'
  | 'dispute'
  | 'decideDispute'
  | 'retrySameKey'
  | 'retryOtherKey'
  | 'crash'

interface Step {
  kind: Kind
  cents: number
  pick: number
}

const weights: Record<Kind, number> = {
  topUp: 4,
  spend: 6,
  ask: 4,
  approve: 4,
  approveTogether: 2,
  reject: 2,
  pause: 2,
  resume: 3,
  revoke: 1,
  refund: 2,
  endRefund: 2,
  dispute: 2,
  decideDispute: 2,
  retrySameKey: 2,
  retryOtherKey: 2,
  crash: 1
}

const stepArb: fc.Arbitrary<Step> = fc.record({
  kind: fc.oneof(
    ...Object.entries(weights).map(([kind, weight]) => ({ weight, arbitrary: fc.constant(kind as Kind) }))
  ),
  cents: fc.integer({ min: 1, max: 150_000 }),
  pick: fc.nat({ max: 1_000 })
})

/** The status of a spend of `cents`, and its effect on the model. */
const modelSpend = (model: Model, cents: number): number => {
  if (model.status === 'revoked') return 401
  if (model.status === 'paused') return 403
  if (cents > model.balance) return 402
  model.balance -= cents
  return 200
}

const modelApprove = (model: Model, approval: Model['approvals'][number]): number => {
  if (!approval.open || model.status === 'revoked') return 409
  const status = modelSpend(model, approval.amount)
  if (status === 200) approval.open = false
  return status
}

class ModelRun {
  keys = 0
  constructor(
    public world: World,
    readonly model: Model,
    readonly restart: () => Promise<World>
  ) {}

  spend(cents: number, more: object = {}, key?: string): Promise<Answered> {
    const headers: Record<string, string> = key === undefined ? {} : { 'idempotency-key': key }
    return this.world.as(this.model.key, 'POST', '/api/spend', { amount: cents / 100, ...more }, headers)
  }

  newKey(): string {
    this.keys += 1
    return `${this.model.agentId}-${this.keys}`
  }

  async topUp(dollars: number): Promise<void> {
    const { world, model } = this
    const { status, body } = await world.asOwner('POST', '/api/checkout', { agent_id: model.agentId, amount: dollars })
    if (model.status === 'revoked') return assert.equal(status, 409)
    assert.equal(status, 200)
    await fetch(body.checkout_url, { method: 'POST', body: new URLSearchParams({ action: 'pay' }), redirect: 'manual' })
    await world.app.simulators.stripe?.settled()
    const session = await world.app.stripe.call('read', (stripe) =>
      stripe.checkout.sessions.retrieve(body.checkout_url.split('/').at(-1))
    )
    model.payments.push({
      intent: typeof session.payment_intent === 'string' ? session.payment_intent : '',
      paid: dollars,
      refunds: []
    })
    const settled = Math.min(model.owed, dollars * 10_000)
    model.balance += dollars * 10_000 - settled
    owe(model, model.owed - settled)
  }

  private payment(pick: number): Payment | undefined {
    return this.model.payments[pick % (this.model.payments.length || 1)]
  }

  async refund(pick: number): Promise<void> {
    const payment = this.payment(pick)
    if (payment === undefined || refundedOf(payment) === payment.paid || payment.dispute !== undefined) return
    const dollars = 1 + (pick % (payment.paid - refundedOf(payment)))
    const { id } = await this.world.app.stripe.call(this.newKey(), (stripe, options) =>
      stripe.refunds.create({ payment_intent: payment.intent, amount: dollars * 100 }, options)
    )
    await this.world.app.simulators.stripe?.settled()
    settle(this.model, payment, () => payment.refunds.push({ id, dollars, ended: false }))
  }

  async endRefund(pick: number): Promise<void> {
    const payment = this.payment(pick)
    const refund = payment?.refunds.find(({ ended }) => !ended)
    if (payment === undefined || refund === undefined) return
    const status = pick % 2 === 0 ? 'failed' : 'canceled'
    await this.control(`/simulator/refunds/${refund.id}/end`, { status })
    await this.world.app.simulators.stripe?.settled()
    settle(this.model, payment, () => (refund.ended = true))
  }

  /** Stripe's simulator allows one dispute per payment, over the whole amount. Earlier refunds are not taken twice. */
  async dispute(pick: number): Promise<void> {
    const payment = this.payment(pick)
    if (payment === undefined || payment.dispute !== undefined) return
    const { id } = await this.control('/simulator/disputes', { payment_intent: payment.intent })
    await this.world.app.simulators.stripe?.settled()
    settle(this.model, payment, () => (payment.dispute = { id: String(id), status: 'open' }))
  }

  async decideDispute(pick: number): Promise<void> {
    const payment = this.payment(pick)
    const dispute = payment?.dispute
    if (payment === undefined || dispute?.status !== 'open') return
    const outcome = pick % 3 === 0 ? 'lost' : 'won'
    await this.control(`/simulator/disputes/${dispute.id}/close`, { outcome })
    await this.world.app.simulators.stripe?.settled()
    settle(this.model, payment, () => (dispute.status = outcome))
  }

  /** Calls the simulator's own endpoints, for actions without an API at Stripe. */
  private async control(path: string, body: object): Promise<Record<string, unknown>> {
    const { stripe: simulator } = this.world.app.simulators
    const address = simulator?.api.server.address()
    const port = typeof address === 'object' && address !== null ? address.port : 0
    const headers = {
      authorization: `Bearer ${this.world.config.stripe.secretKey}`,
      'content-type': 'application/json'
    }
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body)
    })
    assert.equal(response.status, 200)
    return (await response.json()) as Record<string, unknown>
  }

  async decide(pick: number, path: '/api/approve' | '/api/reject', times: number): Promise<void> {
    const { world, model } = this
    const approval = model.approvals[pick % (model.approvals.length || 1)]
    if (approval === undefined) return
    const responses = await Promise.all(
      Array.from({ length: times }, () => world.asOwner('POST', path, { request_id: approval.id }))
    )
    const expected = Array.from({ length: times }, () => {
      if (path === '/api/approve') return modelApprove(model, approval)
      if (!approval.open) return 409
      approval.open = false
      return 200
    })
    assert.deepEqual(responses.map(({ status }) => status).sort(), expected.sort())
  }

  async requestApproval(cents: number): Promise<void> {
    const { status, body } = await this.spend(cents, { require_approval: true })
    assert.equal(status, this.model.status === 'active' ? 200 : this.model.status === 'paused' ? 403 : 401)
    if (status === 200) this.model.approvals.push({ id: body.approval_id, amount: cents, open: true })
  }

  async switchTo(action: 'pause' | 'resume' | 'revoke'): Promise<void> {
    const { world, model } = this
    const { status } = await world.asOwner(
      'POST',
      `/api/agents/${model.agentId}/${action}`,
      action === 'revoke' ? { confirm: true } : undefined
    )
    const isRefused = action === 'resume' ? model.status === 'revoked' || model.owed > 0 : model.status === 'revoked'
    if (isRefused && action !== 'revoke') return assert.equal(status, 409)
    assert.equal(status, 200)
    model.status = action === 'pause' ? 'paused' : action === 'resume' ? 'active' : 'revoked'
    model.pauseReason = action === 'pause' ? 'owner' : null
  }

  /** Sends one operation several times with one key, concurrently and sequentially: it happens once. */
  async retrySameKey(cents: number): Promise<void> {
    const key = this.newKey()
    const expected = modelSpend(this.model, cents)
    const together = await Promise.all(Array.from({ length: 3 }, () => this.spend(cents, {}, key)))
    const last = await this.spend(cents, {}, key)
    for (const { status } of together)
      assert.ok(status === expected || status === 409, `${status} instead of ${expected}`)
    assert.equal(last.status, expected)
    for (const { status, text } of together) if (status === 200) assert.equal(text, last.text)
  }

  async retryOtherKey(cents: number): Promise<void> {
    for (let time = 0; time < 2; time++) {
      const { status } = await this.spend(cents, {}, this.newKey())
      assert.equal(status, modelSpend(this.model, cents))
    }
  }

  /** Breaks the connections during spends, restarts the server, and retries with the same keys. */
  async crash(cents: number): Promise<void> {
    const keys = Array.from({ length: 3 }, () => this.newKey())
    const lost = keys.map((key) => this.spend(cents, {}, key).catch(() => undefined))
    setImmediate(() => this.world.app.server.closeAllConnections())
    await Promise.all(lost)
    this.world = await this.restart()
    const responses = []
    for (const key of keys) responses.push(await this.spend(cents, {}, key))
    const expected = keys.map(() => modelSpend(this.model, cents))
    assert.deepEqual(responses.map(({ status }) => status).sort(), expected.sort())
  }

  async run({ kind, cents, pick }: Step): Promise<void> {
    switch (kind) {
      case 'topUp':
        return await this.topUp(10 + (pick % 20))
      case 'spend':
        return assert.equal((await this.spend(cents)).status, modelSpend(this.model, cents))
      case 'ask':
        return await this.requestApproval(cents)
      case 'approve':
        return await this.decide(pick, '/api/approve', 1)
      case 'approveTogether':
        return await this.decide(pick, '/api/approve', 5)
      case 'reject':
        return await this.decide(pick, '/api/reject', 1)
      case 'refund':
        return await this.refund(pick)
      case 'endRefund':
        return await this.endRefund(pick)
      case 'dispute':
        return await this.dispute(pick)
      case 'decideDispute':
        return await this.decideDispute(pick)
      case 'retrySameKey':
        return await this.retrySameKey(cents)
      case 'retryOtherKey':
        return await this.retryOtherKey(cents)
      case 'crash':
        return await this.crash(cents)
      default:
        return await this.switchTo(kind)
    }
  }

  async checkInvariants(): Promise<void> {
    const { world, model } = this
    const { db } = world.database
    assert.deepEqual((await verifyLedger(db)).faults, [])
    const { body } = await world.as(undefined, 'GET', `/api/status?agent_id=${model.agentId}`)
    assert.deepEqual([body.agent.balance, body.agent.status], [model.balance / 100, model.status])
    const history = await world.app.ledger.history(db, model.agentId, 500)
    assert.equal(
      history.reduce((sum, row) => sum + row.amountCents, 0),
      model.balance
    )
    const open = await db
      .selectFrom('approvals')
      .select('id')
      .where('agent_id', '=', model.agentId)
      .where('status', '=', 'pending')
      .orderBy('id')
      .execute()
    assert.deepEqual(
      open.map(({ id }) => id),
      model.approvals.filter((approval) => approval.open).map(({ id }) => id)
    )
    const { owed_cents: owed } = await db
      .selectFrom('agents')
      .select('owed_cents')
      .where('agent_id', '=', model.agentId)
      .executeTakeFirstOrThrow()
    assert.equal(owed, model.owed)
  }
}

test('after any sequence of operations on agents, the ledger is consistent and matches the API', async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'atlas-model-'))
  t.teardown(() => rmSync(dataDir, { recursive: true, force: true }))
  const options = { database: await openTestDatabase(t), clock: new TestClock(), env: { ATLAS_DATA_DIR: dataDir } }
  let world = await openWorld(t, options)
  const restart = async (): Promise<World> => {
    await world.app.close()
    world = await openWorld(t, options, world.owner)
    return world
  }
  let agents = 0
  await fc.assert(
    fc.asyncProperty(fc.array(stepArb, { minLength: 5, maxLength: 30 }), async (steps) => {
      agents += 1
      const agentId = `agent-${agents}`
      const key = await world.fund(agentId, 0)
      const model: Model = {
        agentId,
        key,
        status: 'active',
        pauseReason: null,
        balance: 0,
        approvals: [],
        payments: [],
        owed: 0
      }
      const modelRun = new ModelRun(world, model, restart)
      await modelRun.topUp(25)
      for (const step of steps) {
        await modelRun.run(step)
        await modelRun.checkInvariants()
      }
    }),
    { ...search(4), endOnFailure: true }
  )
})
