/** PostgreSQL's numbers for the types whose values we read in our own way. */
export const typeIds = { int8: 20, date: 1082, timestamptz: 1184 } as const

/**
 * Reads int8 as a number: amounts, sequences and counts stay far below 2^53.
 * @throws RangeError for a value that a number cannot hold exactly, which must not be rounded in silence.
 */
export const parseInt8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`The database holds ${text}, which a JavaScript number cannot hold exactly.`)
  }
  return value
}

/** A date stays the text that it is, such as `2026-06-14`: it has no time zone. */
export const parseDate = (text: string): string => text
