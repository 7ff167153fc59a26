import type { FieldError } from '../../plugins/http/errors/validation.ts'
import type { IngestEvent } from '../../spec/generated/ingest.ts'

const dayMs = 24 * 3_600_000

/** Fields that only one type of event may have. */
const onlyOf = [
  ['amount_cents', 'transaction'],
  ['category', 'transaction'],
  ['institution', 'account_link']
] as const

const checkTime = (text: string, now: Date): string | undefined => {
  const ms = Date.parse(text)
  if (Number.isNaN(ms)) return 'must be a timestamp such as 2026-06-14T18:00:00Z'
  if (ms < 0) return 'must not be before 1970'
  // Tolerates one day, because clocks differ and some senders send local time as UTC.
  if (ms > now.getTime() + dayMs) return 'must be at most one day in the future'
  return undefined
}

/** The faults of one event; paths are relative to the event. */
const checkEvent = (event: IngestEvent, now: Date): FieldError[] => {
  const errors: FieldError[] = []
  for (const [field, type] of onlyOf) {
    if (event[field] !== undefined && event.event_type !== type) {
      errors.push({ path: field, message: `is only allowed in ${type} events; this is a ${event.event_type} event` })
    }
  }
  const fault = event.occurred_at === undefined ? undefined : checkTime(event.occurred_at, now)
  if (fault !== undefined) errors.push({ path: 'occurred_at', message: fault })
  return errors
}

/** The faults that the schema cannot express: fields of another event type, and impossible times. `pathOf` returns the path of an event. */
export const findFaults = (events: IngestEvent[], pathOf: (index: number) => string, now: Date): FieldError[] => {
  const faults: FieldError[] = []
  for (const [index, event] of events.entries()) {
    for (const { path, message } of checkEvent(event, now)) faults.push({ path: `${pathOf(index)}/${path}`, message })
  }
  return faults
}
