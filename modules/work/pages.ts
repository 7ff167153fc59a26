import type { Cursors } from '../../plugins/cursors.ts'
import { pageOf, type Page } from '../identity/index.ts'

/** The position that a page begins after; undefined for the first page. */
export const readPosition = (cursors: Cursors, list: string, cursor: string | undefined): number | undefined =>
  cursor === undefined || cursor === '' ? undefined : Number(cursors.decode(list, cursor)[0])

/** Cuts `limit + 1` rows down to a page, whose cursor is the position of its last row. */
export const pageByPosition = <Row extends { position: number }, Item>(
  cursors: Cursors,
  list: string,
  rows: Row[],
  limit: number,
  describe: (row: Row) => Item
): Page<Item> => pageOf(rows, limit, describe, (last) => cursors.encode(list, [last.position]))
