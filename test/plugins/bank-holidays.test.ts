import assert from 'node:assert/strict'
import { test } from 'tap'
import { publishedHolidays } from '../fixtures/federal-reserve-holidays.ts'
import { federalReserveHolidays, isFederalReserveHoliday } from '../../plugins/bank-holidays.ts'

test('the holidays of 2026 to 2036 match the list of the Federal Reserve', async () => {
  const years = Array.from({ length: 11 }, (_, index) => 2026 + index)
  assert.deepEqual(years.flatMap(federalReserveHolidays), [...publishedHolidays])
  // New Year's Day 2023 was a Sunday, so Monday was a holiday. Christmas 2027 is a Saturday, and the Friday before is a banking day.
  assert(federalReserveHolidays(2023).includes('2023-01-02'))
  assert(!federalReserveHolidays(2027).includes('2027-12-24'))
  assert(isFederalReserveHoliday('2026-11-26') && !isFederalReserveHoliday('2026-11-27'))
})
