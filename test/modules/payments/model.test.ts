import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { t, test } from 'tap'
import { transferSteps, type TransferState } from '../../../modules/payments/transfer-states.ts'
import { search } from '../../search.ts'
import { simulatorOf, startWorld, type Accounts } from './world.ts'

const world = await startWorld(t)
const { db } = world.database

type LegKind = 'debit' | 'credit' | 'refund'
type Status = 'pending' | 'posted' | 'settled' | 'failed' | 'returned' | 'cancelled'
type Event = 'pending' | 'posted' | 'settled' | 'failed' | 'returned'

/** The expected state of a transfer, independent of the server's state machine. */
interface Expected {
  id: string
  from: 'checking' | 'savings'
  cents: number
  states: TransferState[]
  legs: Partial<Record<LegKind, Status>>
  held: boolean
}

interface Model {
  transfers: Expected[]
}

interface Real {
  accounts: Accounts
}

const availableCents = { checking: 10_000, savings: 20_000 }
const plaidSteps: Partial<Record<Status, Status[]>> = { pending: ['posted', 'failed'], posted: ['settled', 'returned'] }

const heldOf = (model: Model, from: Expected['from']): number =>
  model.transfers.filter((t) => t.from === from && t.held).reduce((sum, t) => sum + t.cents, 0)
const stateOf = (transfer: Expected): TransferState => transfer.states.at(-1) ?? 'submitted'

const enter = (transfer: Expected, ...states: TransferState[]): void => {
  transfer.states.push(...states)
  if (['settled', 'failed', 'returned', 'cancelled'].includes(stateOf(transfer))) transfer.held = false
}

/** Applies a step of one payment to the transfer. */
const stepLeg = (transfer: Expected, kind: LegKind, to: Status): void => {
  transfer.legs[kind] = to
  if (kind === 'debit') {
    if (to === 'posted')
      enter(transfer, ...(stateOf(transfer) === 'submitted' ? (['pending', 'posted'] as const) : (['posted'] as const)))
    if (to === 'failed' || to === 'returned') enter(transfer, to)
    if (to === 'settled') {
      transfer.held = false
      transfer.legs.credit = 'pending'
    }
  } else if (kind === 'credit') {
    if (to === 'settled') enter(transfer, 'settled')
    if (to === 'failed' || to === 'returned') transfer.legs.refund = 'pending'
  } else if (to === 'settled') enter(transfer, 'returned')
}

const canStepLeg = (transfer: Expected, kind: LegKind, to: Event): boolean =>
  plaidSteps[transfer.legs[kind] ?? 'failed']?.includes(to) ?? false

const canSimulate = (transfer: Expected, event: Event): boolean => {
  switch (stateOf(transfer)) {
    case 'submitted':
      return event === 'pending' || event === 'failed'
    case 'pending':
      return event === 'posted' || event === 'failed'
    case 'posted':
      return event === 'returned' || (event === 'settled' && transfer.legs.refund === undefined)
    default:
      return false
  }
}

const activeLeg = ({ legs }: Expected): LegKind =>
  legs.refund !== undefined ? 'refund' : legs.credit !== undefined ? 'credit' : 'debit'

const simulate = (transfer: Expected, event: Event): void => {
  if (event === 'pending') enter(transfer, 'pending')
  else if (event === 'posted' || event === 'failed') stepLeg(transfer, 'debit', event)
  else
    while (stateOf(transfer) !== event) {
      const kind = activeLeg(transfer)
      const status = transfer.legs[kind]
      const onwards = event === 'settled' || kind === 'refund'
      if (status === 'pending') stepLeg(transfer, kind, onwards ? 'posted' : 'failed')
      else stepLeg(transfer, kind, onwards ? 'settled' : 'returned')
    }
}

/** Asserts that no state is skipped, no event is emitted twice, and the response matches the model. */
const checkTransfer = async (expected: Expected): Promise<void> => {
  const { body } = await world.get(`/v1/transfers/${expected.id}`)
  const states = body.events.map(({ state }: { state: TransferState }) => state) as TransferState[]
  assert.deepEqual(states, expected.states)
  assert.equal(body.status, stateOf(expected))
  states.slice(1).forEach((state, index) => assert(transferSteps[states[index] as TransferState].includes(state)))
  const legs = Object.fromEntries(body.legs.map(({ leg, status }: { leg: string; status: string }) => [leg, status]))
  // The credit is listed until it begins or the debit has come to nothing.
  const isPlanned = expected.legs.credit === undefined && ['pending', 'posted'].includes(expected.legs.debit ?? '')
  assert.deepEqual(legs, isPlanned ? { ...expected.legs, credit: 'wanted' } : expected.legs)
  assert.deepEqual(
    await world.published(expected.id),
    states.map((state) => `transfer.${state}`)
  )
}

/** Asserts that all debited money at Plaid is in transit, at its destination, or refunded, and exists once. */
const checkMoney = async (expected: Expected): Promise<void> => {
  const rows = await db
    .selectFrom('simulators.plaid_transfers as transfer')
    .innerJoin('simulators.plaid_authorizations as a', 'a.authorization_id', 'transfer.authorization_id')
    .select(['a.type', 'transfer.status', 'transfer.amount_cents', 'transfer.metadata'])
    .execute()
  const ours = rows.filter(({ metadata }) => metadata?.transfer_id === expected.id)
  assert.equal(ours.length, Object.keys(expected.legs).length, 'one payment at Plaid for each leg')
  const sum = (type: string, statuses: string[]) =>
    ours
      .filter((row) => row.type === type && statuses.includes(row.status))
      .reduce((total, row) => total + row.amount_cents, 0)
  const taken = sum('debit', ['settled'])
  const given = sum('credit', ['settled'])
  const underWay = sum('credit', ['pending', 'posted'])
  assert.equal(taken, given + underWay, 'all debited money is credited or in transit')
  const state = stateOf(expected)
  if (['settled', 'failed', 'returned', 'cancelled'].includes(state)) {
    assert.equal(underWay + sum('debit', ['pending', 'posted']), 0)
    if (state === 'settled') assert.equal(given, expected.cents)
    if (state === 'failed' || state === 'cancelled') assert.equal(taken, 0)
  }
}

const checkHolds = async (model: Model, { accounts }: Real): Promise<void> => {
  for (const from of ['checking', 'savings'] as const) {
    const funds = await db
      .selectFrom('account_funds')
      .select('held_cents')
      .where('account_id', '=', accounts[from])
      .executeTakeFirst()
    const holds = await db
      .selectFrom('transfer_holds')
      .select('amount_cents')
      .where('account_id', '=', accounts[from])
      .where('released_at', 'is', null)
      .execute()
    const held = funds?.held_cents ?? 0
    assert.equal(held, heldOf(model, from), 'holds equal the amounts of open transfers')
    assert.equal(
      held,
      holds.reduce((total, { amount_cents }) => total + amount_cents, 0)
    )
    assert(held <= availableCents[from], 'holds never exceed the balance')
  }
}

const checkAll = async (model: Model, real: Real): Promise<void> => {
  await checkHolds(model, real)
  for (const expected of model.transfers) {
    await checkTransfer(expected)
    await checkMoney(expected)
  }
}

type Command = fc.AsyncCommand<Model, Real>

abstract class Step implements Command {
  check(_model: Readonly<Model>): boolean {
    return true
  }
  async run(model: Model, real: Real): Promise<void> {
    await this.act(model, real)
    await checkAll(model, real)
  }
  abstract act(model: Model, real: Real): Promise<void>
}

class Create extends Step {
  constructor(
    readonly from: 'checking' | 'savings',
    readonly cents: number,
    readonly parallel: number,
    readonly fault: 'none' | 'drop' | 'drop_after' | 'error_after'
  ) {
    super()
  }
  override async act(model: Model, { accounts }: Real): Promise<void> {
    const body = {
      from_account_id: accounts[this.from],
      to_account_id: this.from === 'checking' ? accounts.savings : accounts.checking,
      amount: this.cents / 100
    }
    const keys = Array.from({ length: this.parallel }, () => randomUUID())
    const ask = (key: string) => world.post('/v1/transfers', body, undefined, { 'idempotency-key': key })
    // Three losses use up all the attempts of one request.
    if (this.fault !== 'none') simulatorOf(world).faults.next('/transfer/create', this.fault, 3)
    const first = await Promise.all(keys.map(ask))
    simulatorOf(world).faults.clear()
    const responses = await Promise.all(
      first.map(async (response, index) => (response.status === 502 ? await ask(keys[index] ?? '') : response))
    )
    const room = Math.floor((availableCents[this.from] - heldOf(model, this.from)) / this.cents)
    assert.equal(responses.filter(({ status }) => status === 200).length, Math.min(room, this.parallel))
    for (const response of responses) {
      if (response.status === 200)
        model.transfers.push({
          id: response.body.id,
          from: this.from,
          cents: this.cents,
          states: ['submitted'],
          legs: { debit: 'pending' },
          held: true
        })
      else assert.equal(response.body.title, 'insufficient_funds', response.text)
    }
  }
  override toString = () => `create(${this.from}, ${this.cents}, ×${this.parallel}, ${this.fault})`
}

abstract class OnTransfer extends Step {
  constructor(readonly pick: number) {
    super()
  }
  override check(model: Readonly<Model>): boolean {
    return model.transfers.length > 0
  }
  chosen = (model: Model): Expected => model.transfers[this.pick % model.transfers.length] as Expected
}

class Simulate extends OnTransfer {
  constructor(
    pick: number,
    readonly event: Event
  ) {
    super(pick)
  }
  override async act(model: Model): Promise<void> {
    const transfer = this.chosen(model)
    const legal = canSimulate(transfer, this.event)
    const response = await world.simulate(transfer.id, this.event)
    assert.equal(response.status, legal ? 200 : 409, response.text)
    if (legal) simulate(transfer, this.event)
  }
  override toString = () => `simulate(${this.pick}, ${this.event})`
}

class SimulateLeg extends OnTransfer {
  constructor(
    pick: number,
    readonly leg: LegKind,
    readonly event: Event
  ) {
    super(pick)
  }
  override check(model: Readonly<Model>): boolean {
    // A failed refund is retried later, which another test covers.
    return super.check(model) && !(this.leg === 'refund' && (this.event === 'failed' || this.event === 'returned'))
  }
  override async act(model: Model): Promise<void> {
    const transfer = this.chosen(model)
    const legal = canStepLeg(transfer, this.leg, this.event)
    const response = await world.simulate(transfer.id, this.event, this.leg)
    assert.equal(response.status, legal ? 200 : 409, response.text)
    if (legal) stepLeg(transfer, this.leg, this.event)
  }
  override toString = () => `simulate(${this.pick}, ${this.leg} ${this.event})`
}

class Cancel extends OnTransfer {
  override async act(model: Model): Promise<void> {
    const transfer = this.chosen(model)
    const legal = stateOf(transfer) === 'submitted'
    assert.equal((await world.post(`/v1/transfers/${transfer.id}/cancel`)).status, legal ? 200 : 409)
    if (!legal) return
    transfer.legs.debit = 'cancelled'
    enter(transfer, 'cancelled')
  }
  override toString = () => `cancel(${this.pick})`
}

class TimePasses extends Step {
  override async act(): Promise<void> {
    world.clock.advance(3_600_000)
    await world.sync()
    await world.sweep()
  }
  override toString = () => 'an hour passes'
}

const event = fc.constantFrom<Event>('pending', 'posted', 'settled', 'failed', 'returned')
const pick = fc.nat({ max: 20 })
const onwards = fc
  .tuple(pick, fc.constantFrom<Event>('pending', 'posted', 'settled'))
  .map(([p, e]) => new Simulate(p, e))
const commands = [
  fc
    .tuple(
      fc.constantFrom('checking' as const, 'savings' as const),
      fc.integer({ min: 1, max: 9_000 }),
      fc.constantFrom(1, 1, 3),
      fc.constantFrom('none', 'none', 'drop', 'drop_after', 'error_after')
    )
    .map(
      ([from, cents, parallel, fault]) => new Create(from, cents, parallel, parallel === 1 ? (fault as 'none') : 'none')
    ),
  onwards,
  onwards,
  fc.tuple(pick, event).map(([p, e]) => new Simulate(p, e)),
  fc
    .tuple(pick, fc.constantFrom<LegKind>('debit', 'credit', 'refund'), event)
    .map(([p, l, e]) => new SimulateLeg(p, l, e)),
  fc
    .tuple(pick, fc.constantFrom<LegKind>('debit', 'credit', 'refund'), fc.constantFrom<Event>('posted', 'settled'))
    .map(([p, l, e]) => new SimulateLeg(p, l, e)),
  pick.map((p) => new Cancel(p)),
  fc.constant(new TimePasses())
]

test('after any operations on transfers no money is made or lost, no state skipped, no funds held twice', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 25, size: 'max' }), async (steps) => {
      const accounts = await world.link()
      await fc.asyncModelRun(() => ({ model: { transfers: [] }, real: { accounts } }), steps)
    }),
    { ...search(4), endOnFailure: true }
  )
})
