import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { arrivalOf, movementsOf, railOfTransfer } from '../../../modules/payments/itinerary.ts'
import type { Leg } from '../../../modules/payments/queries/legs.ts'
import {
  chooseRail,
  debitNetworkOf,
  instantLimitCents,
  railOf,
  sameDayLimitCents,
  slowestOf
} from '../../../modules/payments/rails.ts'
import { isRoutingNumber } from '../../../modules/payments/routing-number.ts'
import { isSameDayOpen, settlementOf } from '../../../modules/payments/settlement-calendar.ts'
import { descriptionOf, dollarsOf } from '../../../modules/payments/send.ts'
import { federalReserveHolidays } from '../../../plugins/bank-holidays.ts'
import { publishedHolidays } from '../../fixtures/federal-reserve-holidays.ts'

const dayMs = 86_400_000

const at = (iso: string) => new Date(iso)
const newYork = (date: Date) =>
  new Intl.DateTimeFormat('en-CA', {
    timeZone: 'America/New_York',
    dateStyle: 'short',
    timeStyle: 'short',
    hourCycle: 'h23'
  }).format(date)

test('standard ACH settles on the second banking morning after its cut-off, past weekends and holidays', async () => {
  assert.equal(newYork(settlementOf('ach', at('2026-06-15T18:00:00Z'))), '2026-06-17, 08:30')
  assert.equal(newYork(settlementOf('ach', at('2026-06-16T00:29:59Z'))), '2026-06-17, 08:30')
  assert.equal(newYork(settlementOf('ach', at('2026-06-16T00:30:00Z'))), '2026-06-18, 08:30')
  // After Wednesday's cut-off: sent on Thursday, past Juneteenth on Friday and the weekend, settled on Tuesday.
  assert.equal(newYork(settlementOf('ach', at('2026-06-18T01:00:00Z'))), '2026-06-23, 08:30')
  assert.equal(newYork(settlementOf('ach', at('2026-06-14T18:00:00Z'))), '2026-06-17, 08:30')
})

test('same-day ACH is available on banking days until 15:00 in New York, in summer and in winter', async () => {
  assert.equal(isSameDayOpen(at('2026-06-15T18:59:59Z')), true)
  assert.equal(isSameDayOpen(at('2026-06-15T19:00:00Z')), false)
  assert.equal(isSameDayOpen(at('2026-01-15T19:59:59Z')), true)
  assert.equal(isSameDayOpen(at('2026-06-14T16:00:00Z')), false)
  assert.equal(isSameDayOpen(at('2026-06-19T16:00:00Z')), false)
  assert.equal(newYork(settlementOf('same-day-ach', at('2026-06-15T18:00:00Z'))), '2026-06-15, 18:00')
  assert.equal(newYork(settlementOf('same-day-ach', at('2026-06-12T20:00:00Z'))), '2026-06-15, 18:00')
})

test('the default is the fastest available rail, and a requested rail is used or rejected', async () => {
  const monday = { amountCents: 1_000, at: at('2026-06-15T15:00:00Z'), instantReach: true }
  assert.equal(chooseRail(monday).rail, 'rtp')
  assert.equal(chooseRail({ ...monday, instantReach: false }).rail, 'same_day_ach')
  assert.equal(chooseRail({ ...monday, amountCents: instantLimitCents }).rail, 'rtp')
  assert.equal(chooseRail({ ...monday, amountCents: instantLimitCents + 1 }).rail, 'ach')
  assert.equal(chooseRail({ ...monday, instantReach: false, amountCents: sameDayLimitCents + 1 }).rail, 'ach')
  assert.deepEqual(chooseRail(monday, 'ach'), { rail: 'ach' })
  assert.match(chooseRail({ ...monday, at: at('2026-06-14T15:00:00Z') }, 'same_day_ach').refusal ?? '', /banking days/)
  assert.match(chooseRail({ ...monday, instantReach: false }, 'rtp').refusal ?? '', /checking and savings/)
  assert.equal(debitNetworkOf('rtp', monday), 'same-day-ach')
  assert.equal(debitNetworkOf('ach', monday), 'ach')
})

const legAt = (createdAt: Date, network: 'ach' | 'same-day-ach' | 'rtp', more: Partial<Leg> = {}): Leg => ({
  id: 'leg',
  transferId: 'tfr',
  amountCents: 100,
  kind: 'debit',
  attempt: 1,
  network,
  status: 'pending',
  authorizationAttempt: 1,
  authorizationId: null,
  authorizedAt: null,
  plaidTransferId: null,
  reason: null,
  retryAt: null,
  createdAt,
  ...more
})

test('a transfer arrives with its last leg, names its slowest rail, and is rtp only within the hour', async () => {
  fc.assert(
    fc.property(
      fc.date({ min: at('2020-01-01T00:00:00Z'), max: at('2040-01-01T00:00:00Z'), noInvalidDate: true }),
      fc.constantFrom('ach' as const, 'same_day_ach' as const, 'rtp' as const),
      (now, creditRail) => {
        const debitNetwork = debitNetworkOf(creditRail, { amountCents: 100, at: now, instantReach: true })
        const movements = movementsOf({ creditRail }, [legAt(now, debitNetwork)])
        assert.deepEqual(
          movements.map(({ kind }) => kind),
          ['debit', 'credit']
        )
        const [debit, credit] = movements.map(({ estimatedSettlement }) => estimatedSettlement)
        assert(debit && credit)
        assert.deepEqual(debit, settlementOf(debitNetwork, now))
        assert(debit > now && credit > debit)
        assert.deepEqual(arrivalOf(movements), credit)
        const rail = railOfTransfer({ creditRail }, movements)
        assert.equal(rail, slowestOf([railOf(debitNetwork), creditRail]))
        if (rail === 'rtp') assert(credit.getTime() - now.getTime() <= 3_600_000)
        for (const settled of creditRail === 'rtp' ? [debit] : [debit, credit]) {
          const day = newYork(settled).slice(0, 10)
          assert(!federalReserveHolidays(Number(day.slice(0, 4))).includes(day))
          assert(![0, 6].includes(at(`${day}T12:00:00Z`).getUTCDay()))
        }
      }
    )
  )
})

test('the credit is planned until it begins, and not at all once the debit has failed', async () => {
  const [monday, tuesday] = [at('2026-06-15T15:00:00Z'), at('2026-06-16T15:00:00Z')]
  const debit = legAt(monday, 'same-day-ach')
  const credit = legAt(tuesday, 'ach', { kind: 'credit', status: 'wanted' })
  const kindsOf = (legs: Leg[]) =>
    movementsOf({ creditRail: 'ach' }, legs).map(({ kind, status }) => `${kind} ${status}`)
  assert.deepEqual(kindsOf([debit]), ['debit pending', 'credit wanted'])
  assert.deepEqual(
    kindsOf([
      { ...debit, status: 'settled' },
      { ...credit, status: 'posted' }
    ]),
    ['debit settled', 'credit posted']
  )
  for (const status of ['failed', 'returned', 'cancelled'] as const)
    assert.deepEqual(kindsOf([{ ...debit, status }]), [`debit ${status}`])
  const estimateOf = (leg: Leg) => movementsOf({ creditRail: 'ach' }, [debit, leg]).at(-1)?.estimatedSettlement
  assert.deepEqual(estimateOf(credit), settlementOf('ach', tuesday))
  const later = at('2026-06-22T15:00:00Z')
  assert.deepEqual(estimateOf({ ...credit, retryAt: later }), settlementOf('ach', later), 'a retry is later')
  assert.deepEqual(arrivalOf(movementsOf({ creditRail: 'ach' }, [debit, credit])), settlementOf('ach', tuesday))
})

test('a routing number is validated by its checksum, and any single wrong digit is detected', async () => {
  for (const good of ['021000021', '011401533', '121000358']) assert.equal(isRoutingNumber(good), true)
  for (const bad of ['021000022', '000000000', '12345678', '0210000210', 'abcdefghi'])
    assert.equal(isRoutingNumber(bad), false)
  fc.assert(
    fc.property(fc.nat({ max: 8 }), fc.integer({ min: 1, max: 9 }), (index, by) => {
      const digits = [...'021000021']
      digits[index] = String((Number(digits[index]) + by) % 10)
      assert.equal(isRoutingNumber(digits.join('')), false)
    })
  )
})

test('a routing number begins with a prefix that the ABA assigns, whatever its checksum', async () => {
  const withChecksum = (start: string): string => {
    const digits = [...'0123456789'].map((last) => `${start}000000${last}`)
    const sumOf = (text: string) =>
      [...text].reduce((sum, digit, at) => sum + Number(digit) * ([3, 7, 1][at % 3] ?? 0), 0)
    return digits.find((text) => sumOf(text) % 10 === 0) ?? ''
  }
  const assigned = (prefix: number) =>
    (prefix >= 1 && prefix <= 12) || (prefix >= 21 && prefix <= 32) || (prefix >= 61 && prefix <= 72)
  for (let prefix = 1; prefix < 100; prefix++) {
    const number = withChecksum(String(prefix).padStart(2, '0'))
    assert.equal(isRoutingNumber(number), assigned(prefix), number)
  }
  assert.equal(isRoutingNumber('000000518'), true, 'the Treasury')
})

test('standard ACH of each day from 2026 to 2036 settles on the second banking day of the Federal Reserve', async () => {
  const isBankingDay = (day: number) => {
    const date = new Date(day)
    return ![0, 6].includes(date.getUTCDay()) && !publishedHolidays.has(date.toISOString().slice(0, 10))
  }
  const next = (day: number): number => (isBankingDay(day + dayMs) ? day + dayMs : next(day + dayMs))
  for (let day = Date.UTC(2026, 0, 1); day < Date.UTC(2036, 11, 1); day += dayMs) {
    const processed = isBankingDay(day) ? day : next(day)
    const settled = newYork(settlementOf('ach', new Date(day + 17 * 3_600_000)))
    assert.equal(settled, `${new Date(next(next(processed))).toISOString().slice(0, 10)}, 08:30`)
  }
})

test('amounts and descriptions fit Plaid’s wire format', async () => {
  assert.equal(dollarsOf(1_000), '10.00')
  assert.equal(dollarsOf(5), '0.05')
  assert.equal(dollarsOf(99_999_999_999), '999999999.99')
  assert.equal(descriptionOf('Coffee'), 'Coffee')
  assert.equal(descriptionOf(null), 'Transfer')
  assert.equal(descriptionOf('☕'), 'Transfer')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (memo) => /^[A-Za-z0-9][A-Za-z0-9 ]{0,9}$/.test(descriptionOf(memo)))
  )
})
