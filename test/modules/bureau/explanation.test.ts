import assert from 'node:assert/strict'
import { test } from 'tap'
import { explain } from '../../../modules/bureau/explanation.ts'
import { recount } from '../../../modules/bureau/history.ts'
import type { RecordedEvent } from '../../../modules/bureau/queries/events.ts'

const enrolledAt = new Date('2026-01-01T00:00:00.000Z')
const now = new Date('2027-01-01T12:00:00.000Z')

const event = (id: number, kind: RecordedEvent['kind'], more: Partial<RecordedEvent> = {}): RecordedEvent => ({
  id,
  kind,
  amountCents: null,
  accountId: null,
  reporterName: 'R',
  reporterPlatform: 'p',
  notes: null,
  state: 'counted',
  createdAt: enrolledAt,
  ...more
})

const events = [
  event(1, 'credit_account_open', { amountCents: 1000_00, accountId: 7 }),
  event(2, 'payment_ontime', { amountCents: 150, notes: '' }),
  event(3, 'dispute', { notes: 'by phone' }),
  event(4, 'debt_opened'),
  event(5, 'debt_closed', { amountCents: 250_00, notes: 'paid off' }),
  event(6, 'credit_account_close', { amountCents: 1000_00, accountId: 7, createdAt: now })
]

test('an explanation lists the reporter and the changed terms of each event, and sums up the terms', async () => {
  const { lines, agrees, score } = explain({ agentId: 'a', enrolledAt, counters: recount(events) }, events, now)
  assert.deepEqual(lines, [
    'a, enrolled at 2026-01-01T00:00:00.000Z with 500. Formula version 1.',
    '2026-01-01T00:00:00.000Z  #1  500 → 508  credit_account_open of 1000 credits (account 7) by R on p: accounts +8',
    '2026-01-01T00:00:00.000Z  #2  508 → 526  payment_ontime of 1.5 credits by R on p: payments +18.18',
    '2026-01-01T00:00:00.000Z  #3  526 → 511  dispute by R on p: by phone: disputes −15',
    '2026-01-01T00:00:00.000Z  #4  511 → 511  debt_opened by R on p: no effect',
    '2026-01-01T00:00:00.000Z  #5  511 → 526  debt_closed of 250 credits by R on p: paid off: utilisation +15',
    '2027-01-01T12:00:00.000Z  #6  551 → 558  credit_account_close of 1000 credits (account 7) by R on p: accounts −8, utilisation +15',
    '2027-01-01T12:00:00.000Z  365 days old: 558 (Poor) = base 500, payments +18.18, accounts 0, utilisation +30, age +25, late 0, missed 0, disputes −15; ' +
      'clamped to 300 to 850 and rounded.',
    'The stored counters agree with these 6 events.'
  ])
  assert.deepEqual([agrees, score], [true, 558])
})

test('each counter that differs from the history is reported with the recount', async () => {
  const counted = recount(events)
  for (const name of Object.keys(counted) as (keyof typeof counted)[]) {
    const kept = { ...counted, [name]: counted[name] + 1 }
    const { lines, agrees } = explain({ agentId: 'a', enrolledAt, counters: kept }, events, now)
    assert.deepEqual(
      [agrees, lines.at(-1)],
      [false, `THE COUNTERS DIFFER: stored ${JSON.stringify(kept)}, counted ${JSON.stringify(counted)}.`],
      name
    )
  }
})

test('events that do not count at present say why and have no effect', async () => {
  const states = ['disputed', 'dropped', 'own_agent', 'confirmed'] as const
  const history = states.map((state, index) => event(index + 1, 'payment_late', { state }))
  const agent = { agentId: 'excluding', enrolledAt, counters: recount([event(1, 'payment_late')]) }
  const { lines, agrees } = explain(agent, history, now)
  assert.equal(agrees, true)
  for (const [index, state] of (['disputed', 'dropped', 'own_agent'] as const).entries())
    assert.match(lines[index + 1] ?? '', new RegExp(`\\(excluded: ${state}\\): no effect$`))
  assert.match(lines[4] ?? '', /500 → 490 {2}payment_late by R on p: late −10$/)
})
