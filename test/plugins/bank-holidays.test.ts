import assert from 'node:assert/strict'
import { test } from 'tap'
import { federalReserveHolidays, isFederalReserveHoliday } from '../../plugins/bank-holidays.ts'

test('the holidays match the list of the Federal Reserve', async () => {
  assert.deepEqual(federalReserveHolidays(2026), [
    '2026-01-01',
    '2026-01-19',
    '2026-02-16',
    '2026-05-25',
    '2026-06-19',
    '2026-07-04',
    '2026-09-07',
    '2026-10-12',
    '2026-11-11',
    '2026-11-26',
    '2026-12-25'
  ])
  // New Year's Day 2023 was a Sunday, so Monday was a holiday. Christmas 2027 is a Saturday, and the Friday before is a banking day.
  assert(federalReserveHolidays(2023).includes('2023-01-02'))
  assert(!federalReserveHolidays(2027).includes('2027-12-24'))
  assert(isFederalReserveHoliday('2026-11-26') && !isFederalReserveHoliday('2026-11-27'))
})
