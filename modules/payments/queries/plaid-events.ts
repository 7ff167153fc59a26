import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'

/** An event of a Plaid transfer. Each `source`, the Plaid that sent it, has a sequence of its own. */
export type PlaidEvent = Omit<FieldsOf<'plaid_transfer_events'>, 'appliedAt'>

/** The id of the last stored event of a source; 0 for a new source. */
export const readPosition = async (db: Db, source: string): Promise<number> => {
  await db
    .insertInto('plaid_transfer_cursors')
    .values({ source, after_id: 0 })
    .onConflict((conflict) => conflict.column('source').doNothing())
    .execute()
  const cursors = db.selectFrom('plaid_transfer_cursors').select('after_id').where('source', '=', source)
  return (await cursors.executeTakeFirstOrThrow()).after_id
}

/** Moves the position on, unless another sync did so first. @returns whether it moved */
export const advancePosition = async (trx: Trx, source: string, from: number, to: number): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('plaid_transfer_cursors')
    .set({ after_id: to })
    .where('source', '=', source)
    .where('after_id', '=', from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export const insertPlaidEvents = async (trx: Trx, events: PlaidEvent[]): Promise<void> => {
  if (events.length === 0) return
  await trx
    .insertInto('plaid_transfer_events')
    .values(events.map(toRow))
    .onConflict((conflict) => conflict.columns(['source', 'event_id']).doNothing())
    .execute()
}

/** The ids of transfers with unapplied events. An event whose leg is unknown waits until the leg is stored. */
export const listTransfersWithEvents = async (db: Db, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('plaid_transfer_events as event')
    .innerJoin('transfer_legs as leg', 'leg.plaid_transfer_id', 'event.plaid_transfer_id')
    .select('leg.transfer_id as transferId')
    .distinct()
    .where('event.applied_at', 'is', null)
    .limit(limit)
    .execute()
  return rows.map(({ transferId }) => transferId)
}

/** The unapplied events of a locked transfer, in Plaid's order. */
export const listOpenEvents = async (trx: Trx, transferId: string) =>
  await trx
    .selectFrom('plaid_transfer_events as event')
    .innerJoin('transfer_legs as leg', 'leg.plaid_transfer_id', 'event.plaid_transfer_id')
    .select(['event.source', 'event.event_id as eventId', 'event.type', 'event.reason', 'leg.id as legId'])
    .where('leg.transfer_id', '=', transferId)
    .where('event.applied_at', 'is', null)
    .orderBy('event.event_id')
    .execute()

export const markApplied = async (
  trx: Trx,
  { source, eventId }: Pick<PlaidEvent, 'source' | 'eventId'>,
  now: Date
): Promise<void> => {
  await trx
    .updateTable('plaid_transfer_events')
    .set({ applied_at: now })
    .where('source', '=', source)
    .where('event_id', '=', eventId)
    .execute()
}

/** Deletes events that are too old to be applied or referred to. */
export const deleteOldPlaidEvents = async (db: Db, before: Date): Promise<void> => {
  await db.deleteFrom('plaid_transfer_events').where('received_at', '<', before).execute()
}
