import type { CursorPosition, Cursors } from './cursors.ts'

/** A position in a list that is ordered by time, then by id. */
export interface TimePosition {
  at: Date
  id: string
}

const decode = (cursors: Cursors, list: string, cursor: string | undefined): CursorPosition | undefined =>
  cursor === undefined || cursor === '' ? undefined : cursors.decode(list, cursor)

/**
 * Reads the position after which a page starts, in a list ordered by a number; undefined for the first page.
 * @throws ProblemError `invalid_cursor`.
 */
export const readPosition = (cursors: Cursors, list: string, cursor: string | undefined): number | undefined => {
  const position = decode(cursors, list, cursor)
  return position === undefined ? undefined : Number(position[0])
}

/**
 * Reads the position after which a page starts, in a list ordered by time; undefined for the first page.
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

/**
 * Cuts up to `limit + 1` rows down to one page. The extra row only shows that another page follows;
 * `encode` makes its cursor from the last row of this page.
 */
export const pageOf = <Row>(rows: Row[], limit: number, encode: (last: Row) => string): Page<Row> => {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  return { rows: page, nextCursor: rows.length > limit && last !== undefined ? encode(last) : null }
}

type Timed = { id: string } & ({ createdAt: Date } | { created_at: Date })

/** `pageOf` for a list that is ordered by creation time, then by id. */
export const pageByTime = <Row extends Timed>(cursors: Cursors, list: string, rows: Row[], limit: number): Page<Row> =>
  pageOf(rows, limit, (last: Timed) => {
    const at = 'createdAt' in last ? last.createdAt : last.created_at
    return cursors.encode(list, [at.getTime(), last.id])
  })
