import { createHash } from 'node:crypto'
import { invalidField } from './errors.ts'
import { beginning } from './history/timeline.ts'
import type { Position } from './history/timeline.ts'

/** A client's position: at rest at `from`, or `offset` rows into the pages that lead from there to `target`. */
export interface Cursor {
  from: Position
  target: Position | null
  offset: number
  /** The only account whose transactions are included; null for all. */
  accountId: string | null
}

export const startCursor: Cursor = { from: beginning, target: null, offset: 0, accountId: null }

const tagBytes = 9

const tagOf = (itemId: string, payload: string) =>
  createHash('sha256').update(`${itemId}|${payload}`).digest().subarray(0, tagBytes)

/** An opaque text. Its tag binds it to the item, so that invented and foreign cursors are refused. */
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
  // The tag matched, so encodeCursor wrote this.
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
