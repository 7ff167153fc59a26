import assert from 'node:assert/strict'
import fc from 'fast-check'
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
import { ageInDays, factorsOf, gradeOf, scoreOf, sumOf, type Counters } from '../../../modules/bureau/score.ts'
import { eventSteps, type EventState } from '../../../modules/bureau/states.ts'

const counters = (some: Partial<Counters>): Counters => ({ ...noCounters, ...some })

const anyCounters: fc.Arbitrary<Counters> = fc.record({
  onTime: fc.nat({ max: 5000 }),
  late: fc.nat({ max: 100 }),
  missed: fc.nat({ max: 100 }),
  disputes: fc.nat({ max: 100 }),
  openAccounts: fc.nat({ max: 20 }),
  openLimitsCents: fc.nat({ max: 10_000_000 }),
  debtClosedCents: fc.nat({ max: 10_000_000 })
})
const anyAge = fc.nat({ max: 2000 })

test('every agent starts at 500, with the grade Poor', async () => {
  assert.deepEqual(scoreOf(noCounters, 0), {
    score: 500,
    grade: 'Poor',
    factors: { base: 500, payments: 0, accounts: 0, utilisation: 0, age: 0, late: 0, missed: 0, disputes: 0 }
  })
})

test('each term follows the formula of the reference', async () => {
  assert.equal(factorsOf(counters({ onTime: 10 }), 0).payments, 100)
  assert.equal(factorsOf(counters({ onTime: 30 }), 0).payments, 150)
  assert.equal(factorsOf(counters({ openAccounts: 4 }), 0).accounts, 32)
  assert.equal(factorsOf(counters({ openAccounts: 6 }), 0).accounts, 40)
  assert.equal(factorsOf(counters({ debtClosedCents: 250_00 }), 0).utilisation, 30)
  assert.equal(factorsOf(counters({ debtClosedCents: 250_00, openLimitsCents: 1000_00 }), 0).utilisation, 15)
  assert.equal(factorsOf(counters({ debtClosedCents: 9000_00, openLimitsCents: 1000_00 }), 0).utilisation, 60)
  assert.equal(factorsOf(noCounters, 365).age, 25)
  assert.equal(factorsOf(noCounters, 5000).age, 50)
  assert.equal(scoreOf(counters({ late: 1 }), 0).score, 490)
  assert.equal(scoreOf(counters({ missed: 1 }), 0).score, 470)
  assert.equal(scoreOf(counters({ disputes: 1 }), 0).score, 485)
})

test('the worst history gives 300, and the best one 850', async () => {
  assert.equal(scoreOf(counters({ missed: 1000 }), 0).score, 300)
  assert.equal(scoreOf(counters({ onTime: 3990, openAccounts: 5, debtClosedCents: 500_00 }), 730).score, 850)
})

test('grades begin exactly at their limits', async () => {
  const grades = [300, 499, 500, 579, 580, 669, 670, 749, 750, 850].map(gradeOf)
  assert.deepEqual(grades, [
    'Very Poor',
    'Very Poor',
    'Poor',
    'Poor',
    'Fair',
    'Fair',
    'Good',
    'Good',
    'Excellent',
    'Excellent'
  ])
})

test('the factors in the JSON add up to the score', async () => {
  fc.assert(
    fc.property(anyCounters, anyAge, (given, ageDays) => {
      const { score, factors } = scoreOf(given, ageDays)
      const received = JSON.parse(JSON.stringify(factors)) as Record<string, number>
      const sum = Object.values(received).reduce((total, term) => total + term)
      assert.equal(Math.round(Math.min(850, Math.max(300, sum))), score)
    })
  )
})

test('a positive report never lowers a score, and a negative one never raises it', async () => {
  fc.assert(
    fc.property(
      anyCounters,
      anyAge,
      fc.constantFrom(...reportTypes),
      fc.nat({ max: 1_000_000 }),
      (given, ageDays, kind, amountCents) => {
        const change =
          sumOf(factorsOf(combine(given, effectOf({ kind, amountCents })), ageDays)) - sumOf(factorsOf(given, ageDays))
        if (['payment_late', 'payment_missed', 'dispute'].includes(kind)) assert.ok(change < 0)
        else if (['debt_opened', 'account_closed'].includes(kind)) assert.equal(change, 0)
        else assert.ok(change >= 0)
      }
    )
  )
})

test('age is counted in whole days and never negative', async () => {
  const enrolledAt = new Date('2026-06-14T18:00:00.000Z')
  assert.equal(ageInDays(enrolledAt, new Date('2026-06-15T17:59:59.999Z')), 0)
  assert.equal(ageInDays(enrolledAt, new Date('2026-06-15T18:00:00.000Z')), 1)
  assert.equal(ageInDays(enrolledAt, new Date('2026-06-14T17:00:00.000Z')), 0)
})

test('a replay ends with the counters of a recount, and each step starts at the score of the one before', async () => {
  const kinds: EventKind[] = [...reportTypes, 'credit_account_open', 'credit_account_close']
  const anyEvents = fc.array(
    fc.record({
      kind: fc.constantFrom(...kinds),
      amountCents: fc.option(fc.nat({ max: 1_000_000 })),
      state: fc.constantFrom(...(Object.keys(eventSteps) as EventState[]))
    }),
    { maxLength: 40 }
  )
  const at = new Date('2026-06-14T18:00:00.000Z')
  fc.assert(
    fc.property(anyEvents, (events) => {
      const { steps, counters: replayed } = replay(
        at,
        events.map((event) => ({ ...event, createdAt: at }))
      )
      assert.deepEqual(replayed, recount(events))
      steps.slice(1).forEach((step, index) => assert.deepEqual(step.before, steps[index]?.after))
    })
  )
})
