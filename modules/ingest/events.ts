import type { FieldError } from '../../plugins/http/errors/validation.ts'
import type { UsageEvent } from './queries.ts'

const dayMs = 24 * 3_600_000

/** The fields that belong to one type of event. */
const onlyOf = [
  ['amount_cents', 'transaction'],
  ['category', 'transaction'],
  ['institution', 'account_link']
] as const

const checkTime = (text: string, now: Date): string | undefined => {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return 'must be a timestamp such as 2026-06-14T18:00:00Z'
  if (ms < 0) return 'must not be before 1970'
  // A day of tolerance, because clocks differ and somebody may send local time as UTC; more is a fault of the sender.
  if (ms > now.getTime() + dayMs) return 'must be at most one day in the future'
  return undefined
}

/** What is wrong with one event; the paths begin at the event. */
const checkEvent = (event: UsageEvent, now: Date): FieldError[] => {
  const errors: FieldError[] = []
  for (const [field, type] of onlyOf) {
    if (event[field] !== undefined && event.event_type !== type) {
      errors.push({ path: field, message: `belongs to ${type} events only, and this one is ${event.event_type}` })
    }
  }
  const fault = event.occurred_at === undefined ? undefined : checkTime(event.occurred_at, now)
  if (fault !== undefined) errors.push({ path: 'occurred_at', message: fault })
  return errors
}

/** What the specification's schema cannot say of events: which fields go with which type, and when they can have happened. `pathOf` names the event. */
export const findFaults = (events: UsageEvent[], pathOf: (index: number) => string, now: Date): FieldError[] => {
  const faults: FieldError[] = []
  for (const [index, event] of events.entries()) {
    for (const { path, message } of checkEvent(event, now)) faults.push({ path: `${pathOf(index)}/${path}`, message })
  }
  return faults
}
