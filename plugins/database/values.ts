/** PostgreSQL's ids of the types with custom parsers. */
export const typeIds = { int8: 20, date: 1082, timestamptz: 1184 } as const

/**
 * Reads int8 as a number: amounts, sequences and counts stay far below 2^53.
 * @throws RangeError for a value that a number cannot represent exactly.
 */
export const parseInt8 = (text: string): number => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`The database contains ${text}, which a JavaScript number cannot represent exactly.`)
  }
  return value
}

/** Returns a date as text, such as `2026-06-14`, because it has no time zone. */
export const parseDate = (text: string): string => text
