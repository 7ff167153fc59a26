import type { Cursors } from '../../plugins/cursors.ts'

/** A place in a list that is sorted by time and, within one moment, by id. */
export interface TimePosition {
  at: Date
  id: string
}

export interface Page<Item> {
  items: Item[]
  nextCursor: string | null
}

/**
 * Reads where a page begins; undefined for the first one.
 * @throws ProblemError `invalid_cursor`.
 */
export const readTimePosition = (cursors: Cursors, list: string, cursor: string | undefined): TimePosition | undefined => {
  if (cursor === undefined || cursor === '') return undefined
  const [atMs, id] = cursors.decode(list, cursor)
  return { at: new Date(Number(atMs)), id: String(id) }
}

/** Cuts `limit + 1` rows down to a page: the row too many only tells that another page follows, whose cursor `encode` makes of the last row shown. */
export const pageOf = <Row, Item>(rows: Row[], limit: number, describe: (row: Row) => Item, encode: (last: Row) => string): Page<Item> => {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown.map(describe), nextCursor: rows.length > limit && last !== undefined ? encode(last) : null }
}

/** The same for a list that is sorted by `created_at` and `id`. */
export const pageByTime = <Row extends { id: string; created_at: Date }, Item>(
  cursors: Cursors,
  list: string,
  rows: Row[],
  limit: number,
  describe: (row: Row) => Item
): Page<Item> => pageOf(rows, limit, describe, (last) => cursors.encode(list, [last.created_at.getTime(), last.id]))
