import { invalidFields } from '../../plugins/http/errors/kinds.ts'

/** The time zone of end-users of whom none is known. */
export const defaultTimeZone = 'America/New_York'

/** Checks an IANA name. @throws ProblemError 400 for an unknown one. */
export const checkTimeZone = (timeZone: string, path: string): string => {
  try {
    new Intl.DateTimeFormat('en-CA', { timeZone })
    return timeZone
  } catch {
    throw invalidFields([{ path, message: 'must be an IANA time zone, such as America/New_York' }])
  }
}

/** The date of a moment in a time zone, as `YYYY-MM-DD`. */
export const dateIn = (timeZone: string, at: Date): string =>
  new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at)
