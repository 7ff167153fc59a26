import type { Cursors } from '../../plugins/cursors.ts'
import { invalidCursor } from '../../plugins/errors/kinds.ts'

/** A place in a list that runs by creation. */
export interface Place {
  createdAt: Date
  id: string
}

export const readPlace = (cursors: Cursors, list: string, cursor: string | undefined): Place | undefined => {
  if (cursor === undefined || cursor === '') return undefined
  const [at, id] = cursors.decode(list, cursor)
  if (typeof at !== 'number' || typeof id !== 'string') throw invalidCursor('The cursor is not one that this list gave out. Leave it out to begin anew.')
  return { createdAt: new Date(at), id }
}

/** Cuts `limit + 1` rows down to a page and the cursor of the next one, null on the last page. */
export const toPage = <Row extends { created_at: Date; id: string }>(cursors: Cursors, list: string, rows: Row[], limit: number): { rows: Row[]; nextCursor: string | null } => {
  const page = rows.slice(0, limit)
  const last = page.at(-1)
  const nextCursor = rows.length > limit && last !== undefined ? cursors.encode(list, [last.created_at.getTime(), last.id]) : null
  return { rows: page, nextCursor }
}
