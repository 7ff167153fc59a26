import type { Selectable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { LegStatus } from '../leg-states.ts'
import type { PlaidTransferEventsTable } from '../tables.ts'

export type PlaidEventRow = Selectable<PlaidTransferEventsTable>

/** How far a source's events were read; 0 for one that is new. */
export const readPosition = async (db: Db, source: string): Promise<number> => {
  await db
    .insertInto('plaid_transfer_cursors')
    .values({ source, after_id: 0 })
    .onConflict((conflict) => conflict.column('source').doNothing())
    .execute()
  return (
    await db
      .selectFrom('plaid_transfer_cursors')
      .select('after_id')
      .where('source', '=', source)
      .executeTakeFirstOrThrow()
  ).after_id
}

/** Moves on from `from`, unless somebody else did. @returns whether it moved */
export const advancePosition = async (trx: Trx, source: string, from: number, to: number): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('plaid_transfer_cursors')
    .set({ after_id: to })
    .where('source', '=', source)
    .where('after_id', '=', from)
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

export const insertPlaidEvents = async (trx: Trx, events: Omit<PlaidEventRow, 'applied_at'>[]): Promise<void> => {
  if (events.length === 0) return
  await trx
    .insertInto('plaid_transfer_events')
    .values(events.map((event) => ({ ...event, applied_at: null })))
    .onConflict((conflict) => conflict.columns(['source', 'event_id']).doNothing())
    .execute()
}

/** Transfers with events that have not been applied. An event whose leg is not known yet waits until it is. */
export const listTransfersWithEvents = async (db: Db, limit: number): Promise<string[]> => {
  const rows = await db
    .selectFrom('plaid_transfer_events as event')
    .innerJoin('transfer_legs as leg', 'leg.plaid_transfer_id', 'event.plaid_transfer_id')
    .select('leg.transfer_id')
    .distinct()
    .where('event.applied_at', 'is', null)
    .limit(limit)
    .execute()
  return rows.map(({ transfer_id }) => transfer_id)
}

/** The events of a locked transfer that have not been applied, in Plaid's order. */
export const listOpenEvents = async (trx: Trx, transferId: string) =>
  await trx
    .selectFrom('plaid_transfer_events as event')
    .innerJoin('transfer_legs as leg', 'leg.plaid_transfer_id', 'event.plaid_transfer_id')
    .select(['event.source', 'event.event_id', 'event.reason', 'leg.id as leg_id'])
    .select((eb) => eb.ref('event.type').$castTo<LegStatus>().as('type'))
    .where('leg.transfer_id', '=', transferId)
    .where('event.applied_at', 'is', null)
    .orderBy('event.event_id')
    .execute()

export const markApplied = async (
  trx: Trx,
  { source, event_id }: Pick<PlaidEventRow, 'source' | 'event_id'>,
  now: Date
): Promise<void> => {
  await trx
    .updateTable('plaid_transfer_events')
    .set({ applied_at: now })
    .where('source', '=', source)
    .where('event_id', '=', event_id)
    .execute()
}

/** Forgets events that were applied, or never had a transfer here, so long ago that nothing can refer to them. */
export const forgetOldPlaidEvents = async (db: Db, before: Date): Promise<void> => {
  await db.deleteFrom('plaid_transfer_events').where('received_at', '<', before).execute()
}
