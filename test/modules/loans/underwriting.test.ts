import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { defaultAfterMs, dueAt, lapsesOf, termMs } from '../../../modules/loans/schedule.ts'
import { limitFor, nextBand, underwrite } from '../../../modules/loans/underwriting.ts'

test('the limits of the bands match the reference', async () => {
  const edges: [number, number][] = [
    [300, 0],
    [549, 0],
    [550, 200],
    [599, 200],
    [600, 500],
    [649, 500],
    [650, 1000],
    [699, 1000],
    [700, 2500],
    [749, 2500],
    [750, 5000],
    [850, 5000]
  ]
  for (const [score, credits] of edges) assert.equal(limitFor(score), credits * 100, `score ${score}`)
})

test('the next band is the nearest one above, and the best has none', async () => {
  assert.deepEqual(
    [300, 549, 550, 599, 749].map((score) => nextBand(score)?.minimumScore),
    [550, 550, 600, 600, 750]
  )
  assert.equal(nextBand(750), undefined)
})

test('a loan is the smaller of the requested amount and the limit', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 300, max: 850 }), fc.integer({ min: 1, max: 1_000_000 }), (score, requestedCents) => {
      const decision = underwrite(score, requestedCents)
      assert.equal(decision.approved, score >= 550)
      if (decision.approved) assert.equal(decision.amountCents, Math.min(requestedCents, limitFor(score)))
      else assert.deepEqual(decision.nextBand, { minimumScore: 550, limitCents: 20_000 })
    })
  )
})

test('a loan is late 1 ms after its due date, and in default 1 ms after another 30 days', async () => {
  const requestedAt = new Date('2026-06-14T18:00:00.000Z')
  const due = dueAt(requestedAt)
  assert.equal(due.getTime() - requestedAt.getTime(), termMs)
  const at = (offsetMs: number) => new Date(due.getTime() + offsetMs)
  const active = { status: 'active' as const, dueAt: due, lateAt: null }
  assert.deepEqual(lapsesOf(active, at(0)), [])
  assert.deepEqual(lapsesOf(active, at(1)), ['late'])
  assert.deepEqual(lapsesOf({ ...active, lateAt: at(1) }, at(defaultAfterMs)), [])
  assert.deepEqual(lapsesOf({ ...active, lateAt: at(1) }, at(defaultAfterMs + 1)), ['default'])
  assert.deepEqual(lapsesOf(active, at(defaultAfterMs + 1)), ['late', 'default'], 'nobody looked in between')
  for (const status of ['repaid', 'defaulted'] as const)
    assert.deepEqual(lapsesOf({ ...active, status }, at(defaultAfterMs * 9)), [])
})
