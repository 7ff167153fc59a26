import { sql, type Selectable } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { LegKind, LegStatus } from '../leg-states.ts'
import type { Network } from '../rails.ts'
import type { TransferLegsTable } from '../tables.ts'

export type LegRow = Selectable<TransferLegsTable>

const kindOrder = sql`array_position(array['debit', 'credit', 'refund'], kind)`

/** The legs of a transfer in the order in which they were decided on. */
export const listLegs = async (db: Db, transferId: string): Promise<LegRow[]> =>
  await db.selectFrom('transfer_legs').selectAll().where('transfer_id', '=', transferId).orderBy(kindOrder).orderBy('attempt').execute()

export interface WantedLeg {
  transferId: string
  amountCents: number
  kind: LegKind
  network: Network
  attempt?: number
  retryAt?: Date | null
}

/** Decides on a leg; it goes to Plaid outside of the transaction. */
export const insertLeg = async (trx: Trx, { transferId, amountCents, kind, network, attempt = 1, retryAt = null }: WantedLeg, now: Date): Promise<LegRow> =>
  await trx
    .insertInto('transfer_legs')
    .values({
      id: newId('leg'),
      transfer_id: transferId,
      amount_cents: amountCents,
      kind,
      attempt,
      network,
      status: 'wanted',
      authorization_id: null,
      authorized_at: null,
      plaid_transfer_id: null,
      reason: null,
      retry_at: retryAt,
      created_at: now
    })
    .returningAll()
    .executeTakeFirstOrThrow()

export const setLegStatus = async (trx: Trx, id: string, status: LegStatus, reason: string | null): Promise<void> => {
  await trx.updateTable('transfer_legs').set({ status, reason }).where('id', '=', id).execute()
}

/** Plaid has taken a leg. @returns whether it was still wanted */
export const setLegTaken = async (trx: Trx, id: string, plaidTransferId: string): Promise<boolean> => {
  const { numUpdatedRows } = await trx
    .updateTable('transfer_legs')
    .set({ status: 'pending', plaid_transfer_id: plaidTransferId, retry_at: null })
    .where('id', '=', id)
    .where('status', '=', 'wanted')
    .executeTakeFirst()
  return numUpdatedRows > 0n
}

/** Stores Plaid's authorization unless another attempt was first, and answers the one that holds. */
export const saveAuthorization = async (db: Db, leg: LegRow, authorizationId: string, now: Date): Promise<LegRow> => {
  await db
    .updateTable('transfer_legs')
    .set({ authorization_id: authorizationId, authorized_at: now })
    .where('id', '=', leg.id)
    .where('authorization_attempt', '=', leg.authorization_attempt)
    .where('authorization_id', 'is', null)
    .execute()
  return await db.selectFrom('transfer_legs').selectAll().where('id', '=', leg.id).executeTakeFirstOrThrow()
}

/** Gives up an authorization that has expired unused. */
export const dropAuthorization = async (db: Db, leg: LegRow): Promise<LegRow> => {
  await db
    .updateTable('transfer_legs')
    .set((eb) => ({ authorization_id: null, authorized_at: null, authorization_attempt: eb('authorization_attempt', '+', 1) }))
    .where('id', '=', leg.id)
    .where('authorization_attempt', '=', leg.authorization_attempt)
    .execute()
  return await db.selectFrom('transfer_legs').selectAll().where('id', '=', leg.id).executeTakeFirstOrThrow()
}

/** Credits and refunds that Plaid is to be given now. Debits go with their requests. */
export const listWantedLegs = async (db: Db, now: Date, limit: number): Promise<LegRow[]> =>
  await db
    .selectFrom('transfer_legs')
    .selectAll()
    .where('status', '=', 'wanted')
    .where('kind', '<>', 'debit')
    .where((eb) => eb.or([eb('retry_at', 'is', null), eb('retry_at', '<=', now)]))
    .orderBy(sql`retry_at nulls first`)
    .orderBy('id')
    .limit(limit)
    .execute()

export const postponeLeg = async (db: Db, id: string, until: Date): Promise<void> => {
  await db.updateTable('transfer_legs').set({ retry_at: until }).where('id', '=', id).where('status', '=', 'wanted').execute()
}
