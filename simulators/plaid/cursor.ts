import { createHash } from 'node:crypto'
import { invalidField } from './errors.ts'
import { beginning } from './history/timeline.ts'
import type { Position } from './history/timeline.ts'

/** Where a client stands: at rest at `from`, or `offset` rows into the loop of pages that leads from there to `target`. */
export interface Cursor {
  from: Position
  target: Position | null
  offset: number
  /** The account that the loop is narrowed to. */
  accountId: string | null
}

export const startCursor: Cursor = { from: beginning, target: null, offset: 0, accountId: null }

const tagBytes = 9

const tagOf = (itemId: string, payload: string) =>
  createHash('sha256').update(`${itemId}|${payload}`).digest().subarray(0, tagBytes)

/** An opaque text; the tag binds it to its item, so that a cursor that was made up or belongs elsewhere is refused. */
export const encodeCursor = (itemId: string, { from, target, offset, accountId }: Cursor): string => {
  const place = (position: Position) => [Number.isFinite(position.at) ? position.at : null, position.batches]
  const payload = JSON.stringify([place(from), target === null ? null : place(target), offset, accountId])
  return Buffer.concat([tagOf(itemId, payload), Buffer.from(payload)]).toString('base64')
}

/** @throws PlaidApiError INVALID_FIELD when the text is not a cursor of this item */
export const decodeCursor = (itemId: string, text: string): Cursor => {
  const bytes = Buffer.from(text, 'base64')
  const payload = bytes.subarray(tagBytes).toString()
  if (bytes.length <= tagBytes || !tagOf(itemId, payload).equals(bytes.subarray(0, tagBytes))) {
    throw invalidField('cursor not associated with access_token')
  }
  // The tag matched, so this is what encodeCursor wrote.
  const [from, target, offset, accountId] = JSON.parse(payload) as [
    [number | null, number],
    [number, number] | null,
    number,
    string | null
  ]
  return {
    from: { at: from[0] ?? Number.NEGATIVE_INFINITY, batches: from[1] },
    target: target === null ? null : { at: target[0], batches: target[1] },
    offset,
    accountId
  }
}
