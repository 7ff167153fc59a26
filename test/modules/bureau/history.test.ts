import assert from 'node:assert/strict'
import { test } from 'tap'
import {
  combine,
  effectOf,
  noCounters,
  recount,
  replay,
  reportTypes,
  type EventKind
} from '../../../modules/bureau/history.ts'
import { scoreOf, type Counters } from '../../../modules/bureau/score.ts'
import { eventSteps, type EventState } from '../../../modules/bureau/states.ts'

const counters = (some: Partial<Counters>): Counters => ({
  onTime: 0,
  late: 0,
  missed: 0,
  disputes: 0,
  openAccounts: 0,
  openLimitsCents: 0,
  debtClosedCents: 0,
  ...some
})

test('each kind of event changes only the counters that the reference names', async () => {
  const effects: [EventKind, Partial<Counters>][] = [
    ['payment_ontime', { onTime: 1 }],
    ['payment_late', { late: 1 }],
    ['payment_missed', { missed: 1 }],
    ['dispute', { disputes: 1 }],
    ['debt_opened', {}],
    ['debt_closed', { debtClosedCents: 250_00 }],
    ['account_opened', { openAccounts: 1 }],
    ['account_closed', {}],
    ['credit_account_open', { openAccounts: 1, openLimitsCents: 250_00 }],
    ['credit_account_close', { openAccounts: -1, openLimitsCents: -250_00 }]
  ]
  for (const [kind, effect] of effects)
    assert.deepEqual(effectOf({ kind, amountCents: 250_00 }), counters(effect), kind)
})

test('an event without an amount moves no sum', async () => {
  assert.deepEqual(effectOf({ kind: 'debt_closed', amountCents: null }), counters({}))
  assert.deepEqual(effectOf({ kind: 'credit_account_open', amountCents: null }), counters({ openAccounts: 1 }))
  assert.deepEqual(effectOf({ kind: 'credit_account_close', amountCents: null }), counters({ openAccounts: -1 }))
})

test('counters can be added and subtracted individually', async () => {
  const a: Counters = {
    onTime: 10,
    late: 20,
    missed: 30,
    disputes: 40,
    openAccounts: 50,
    openLimitsCents: 60,
    debtClosedCents: 70
  }
  const b: Counters = {
    onTime: 1,
    late: 2,
    missed: 3,
    disputes: 4,
    openAccounts: 5,
    openLimitsCents: 6,
    debtClosedCents: 7
  }
  assert.deepEqual(combine(a, b), {
    onTime: 11,
    late: 22,
    missed: 33,
    disputes: 44,
    openAccounts: 55,
    openLimitsCents: 66,
    debtClosedCents: 77
  })
  assert.deepEqual(combine(a, b, -1), {
    onTime: 9,
    late: 18,
    missed: 27,
    disputes: 36,
    openAccounts: 45,
    openLimitsCents: 54,
    debtClosedCents: 63
  })
})

test('a recount counts every event, and is zero for an empty history', async () => {
  assert.deepEqual(recount([]), noCounters)
  const events = (['payment_ontime', 'payment_ontime', 'dispute', 'debt_closed'] as const).map((kind) => ({
    kind,
    amountCents: 100,
    state: 'counted' as const
  }))
  assert.deepEqual(recount(events), counters({ onTime: 2, disputes: 1, debtClosedCents: 100 }))
})

test('only events that are counted or confirmed count', async () => {
  const states: [EventState, number][] = [
    ['counted', 1],
    ['confirmed', 1],
    ['disputed', 0],
    ['dropped', 0],
    ['own_agent', 0]
  ]
  assert.deepEqual(states.map(([state]) => state).sort(), Object.keys(eventSteps).sort())
  for (const [state, onTime] of states) {
    const event = { kind: 'payment_ontime' as const, amountCents: null, state }
    assert.deepEqual(recount([event]), counters({ onTime }), state)
    const createdAt = new Date('2026-01-01T00:00:00.000Z')
    assert.deepEqual(replay(createdAt, [{ ...event, createdAt }]).counters, counters({ onTime }), state)
  }
})

test('several events of one kind add as much as each of them alone', async () => {
  const kinds: EventKind[] = [...reportTypes, 'credit_account_open', 'credit_account_close']
  for (const kind of kinds) {
    const one = effectOf({ kind, amountCents: 100 })
    const three = combine(combine(one, one), one)
    assert.deepEqual(combine(noCounters, effectOf({ kind, amountCents: 300 }, 3)), three, kind)
  }
})

test("a replay reports the score before and after each event, at the agent's age at that time", async () => {
  const enrolledAt = new Date('2026-01-01T00:00:00.000Z')
  const first = {
    kind: 'payment_ontime' as const,
    amountCents: null,
    state: 'counted' as const,
    createdAt: new Date('2026-01-01T00:00:00.000Z')
  }
  const second = {
    kind: 'payment_missed' as const,
    amountCents: null,
    state: 'counted' as const,
    createdAt: new Date('2027-01-01T00:00:00.000Z')
  }
  const told = replay(enrolledAt, [first, second])
  assert.deepEqual(told.counters, counters({ onTime: 1, missed: 1 }))
  assert.deepEqual(told.steps, [
    { event: first, before: scoreOf(noCounters, 0), after: scoreOf(counters({ onTime: 1 }), 0) },
    {
      event: second,
      before: scoreOf(counters({ onTime: 1 }), 365),
      after: scoreOf(counters({ onTime: 1, missed: 1 }), 365)
    }
  ])
})
