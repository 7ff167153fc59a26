import { dateOfDay } from './civil-date.ts'
import type { Schedule } from './schedule.ts'
import type { Stream } from './streams.ts'

/** A payment that was due and has not come. */
export interface Overdue {
  dueDay: number
  lateDays: number
}

const rollAssumption = (schedule: Schedule): string[] => {
  if (schedule.kind === 'days' || schedule.roll === 0) return []
  const moved = schedule.roll < 0 ? 'before' : 'after'
  return [`A due day on which banks are closed moves to the banking day ${moved} it.`]
}

const overdueAssumption = (overdue: Overdue | undefined): string[] => {
  if (overdue === undefined) return []
  const days = `${overdue.lateDays} ${overdue.lateDays === 1 ? 'day' : 'days'}`
  return [`The payment due on ${dateOfDay(overdue.dueDay)} is ${days} late and still comes.`]
}

/** What is assumed of a stream, in sentences for people. */
export const streamAssumptions = (stream: Stream, overdue: Overdue | undefined): string[] => {
  const count = stream.transactions.length
  const varies = stream.amountSpreadCents > 0.02 * Math.abs(stream.amountCents)
  return [
    stream.isAssumed
      ? 'This kind of payment recurs, although it was seen only twice.'
      : `The payments go on like the ${count} before.`,
    ...(varies ? ['The amount varies; a median of the latest payments is used.'] : []),
    ...(stream.filled < 0.9 ? ['Payments are left out now and then; none is expected to be.'] : []),
    ...rollAssumption(stream.schedule),
    ...overdueAssumption(overdue)
  ]
}
