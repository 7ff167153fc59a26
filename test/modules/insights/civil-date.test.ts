import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import {
  dateOfDay,
  dayOfDate,
  dayOfYearMonth,
  weekdayOfDay,
  yearMonthOfDay
} from '../../../modules/insights/civil-date.ts'

test("day numbers match the platform's calendar over two centuries", async () => {
  fc.assert(
    fc.property(fc.integer({ min: -36_000, max: 60_000 }), (day) => {
      const date = new Date(day * 86_400_000)
      assert.equal(dayOfDate(dateOfDay(day)), day)
      assert.equal(weekdayOfDay(day), date.getUTCDay())
      const { monthIndex, dayOfMonth } = yearMonthOfDay(day)
      assert.equal(monthIndex, date.getUTCFullYear() * 12 + date.getUTCMonth())
      assert.equal(dayOfMonth, date.getUTCDate())
      assert.equal(dayOfYearMonth(monthIndex, dayOfMonth), day)
    })
  )
})

test('a day past the end of a month becomes its last day', async () => {
  assert.equal(dateOfDay(dayOfYearMonth(2024 * 12 + 1, 31)), '2024-02-29')
  assert.equal(dateOfDay(dayOfYearMonth(2023 * 12 + 1, 29)), '2023-02-28')
})

test('text that is not a calendar date is rejected', async () => {
  for (const date of ['2024-02-30', '2024-13-01', '2024-1-1', '', 'tomorrow', '2024-01-01T00:00:00Z']) {
    assert.throws(() => dayOfDate(date), RangeError, date)
  }
})
