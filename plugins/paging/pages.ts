import type { CursorPosition, Cursors } from './cursors.ts'

/** A place in a list that is sorted by time and, within one moment, by id. */
export interface TimePosition {
  at: Date
  id: string
}

const decode = (cursors: Cursors, list: string, cursor: string | undefined): CursorPosition | undefined =>
  cursor === undefined || cursor === '' ? undefined : cursors.decode(list, cursor)

/**
 * Where a page of a list that is sorted by a number begins; undefined for the first page.
 * @throws ProblemError `invalid_cursor`.
 */
export const readPosition = (cursors: Cursors, list: string, cursor: string | undefined): number | undefined => {
  const position = decode(cursors, list, cursor)
  return position === undefined ? undefined : Number(position[0])
}

/**
 * Where a page of a list that is sorted by time begins; undefined for the first page.
 * @throws ProblemError `invalid_cursor`.
 */
export const readTimePosition = (
  cursors: Cursors,
  list: string,
  cursor: string | undefined
): TimePosition | undefined => {
  const position = decode(cursors, list, cursor)
  if (position === undefined) return undefined
  const [at = NaN, id] = position
  return { at: new Date(at), id: String(id) }
}

export interface Page<Row> {
  rows: Row[]
  /** Null on the last page. */
  nextCursor: string | null
}

/** Cuts `limit + 1` rows down to a page: the row too many only tells that another page follows, whose cursor `encode` makes of the last row shown. */
export const pageOf = <Row>(rows: Row[], limit: number, encode: (last: Row) => string): Page<Row> => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { rows: shown, nextCursor: rows.length > limit && last !== undefined ? encode(last) : null }
}

/** The same for a list that is sorted by `created_at` and `id`. */
export const pageByTime = <Row extends { created_at: Date; id: string }>(
  cursors: Cursors,
  list: string,
  rows: Row[],
  limit: number
): Page<Row> => pageOf(rows, limit, ({ created_at: at, id }) => cursors.encode(list, [at.getTime(), id]))
