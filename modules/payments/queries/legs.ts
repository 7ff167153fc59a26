import { sql, type Selectable } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { LegKind, LegStatus } from '../leg-states.ts'
import type { Network } from '../rails.ts'
import type { TransferLegsTable } from '../tables.ts'

export type LegRow = Selectable<TransferLegsTable>

const kindOrder = sql`array_position(array['debit', 'credit', 'refund'], kind)`

const legsOf = prepared<{ transferId: string }>()((db, place) =>
  db
    .selectFrom('transfer_legs')
    .selectAll()
    .where('transfer_id', '=', place('transferId'))
    .orderBy(kindOrder)
    .orderBy('attempt')
)

/** The legs of a transfer in the order in which they were decided on. */
export const listLegs = async (db: Db, transferId: string): Promise<LegRow[]> => await legsOf(db, { transferId })

export interface WantedLeg {
  transferId: string
  amountCents: number
  kind: LegKind
  network: Network
  attempt?: number
  retryAt?: Date | null
}

/** Decides on a leg; it goes to Plaid outside of the transaction. */
export const insertLeg = async (
  trx: Trx,
  { transferId, amountCents, kind, network, attempt = 1, retryAt = null }: WantedLeg,
  now: Date
): Promise<LegRow> =>
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

/** Calls off what is wanted and cannot be at Plaid yet; what has an authorization may be. */
export const callOffUnauthorized = async (trx: Trx, transferId: string, reason: string): Promise<void> => {
  await trx
    .updateTable('transfer_legs')
    .set({ status: 'cancelled', reason })
    .where('transfer_id', '=', transferId)
    .where('status', '=', 'wanted')
    .where('authorization_id', 'is', null)
    .execute()
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

const setAuthorization = prepared<{ id: string; attempt: number; authorizationId: string; now: Date }>()((db, place) =>
  db
    .updateTable('transfer_legs')
    .set({ authorization_id: place('authorizationId'), authorized_at: place('now') })
    .where('id', '=', place('id'))
    .where('authorization_attempt', '=', place('attempt'))
    .where('authorization_id', 'is', null)
    .where('status', '=', 'wanted')
    .returningAll()
)

/** Stores Plaid's authorization unless another attempt was first, and answers the one that holds: none when the leg was called off meanwhile. */
export const saveAuthorization = async (db: Db, leg: LegRow, authorizationId: string, now: Date): Promise<LegRow> => {
  const [saved] = await setAuthorization(db, { id: leg.id, attempt: leg.authorization_attempt, authorizationId, now })
  return saved ?? (await db.selectFrom('transfer_legs').selectAll().where('id', '=', leg.id).executeTakeFirstOrThrow())
}

/** Gives up an authorization that has expired unused. */
export const dropAuthorization = async (db: Db, leg: LegRow): Promise<LegRow> => {
  await db
    .updateTable('transfer_legs')
    .set((eb) => ({
      authorization_id: null,
      authorized_at: null,
      authorization_attempt: eb('authorization_attempt', '+', 1)
    }))
    .where('id', '=', leg.id)
    .where('authorization_attempt', '=', leg.authorization_attempt)
    .execute()
  return await db.selectFrom('transfer_legs').selectAll().where('id', '=', leg.id).executeTakeFirstOrThrow()
}

/** Looked up for each leg; as a condition that the planner may join by, it would be looked for among all legs. */
const debitWasReturned = sql<boolean>`
  coalesce((select true from transfer_legs debit where debit.transfer_id = transfer_legs.transfer_id and debit.kind = 'debit' and debit.status = 'returned' limit 1), false)`

/** Credits and refunds that Plaid is to be given now. Debits go with their requests. */
export const listWantedLegs = async (db: Db, now: Date, limit: number): Promise<LegRow[]> =>
  await db
    .selectFrom('transfer_legs')
    .selectAll()
    .where('status', '=', sql.lit('wanted'))
    .where('kind', '<>', sql.lit('debit'))
    .where((eb) => eb.or([eb('retry_at', 'is', null), eb('retry_at', '<=', now)]))
    .where(sql<boolean>`not ${debitWasReturned}`)
    .orderBy(sql`retry_at nulls first`)
    .orderBy('id')
    .limit(limit)
    .execute()

/** Credits and refunds that are not with their network yet although the debit was returned, and whose turn has come. */
export const listLegsToRecall = async (db: Db, now: Date, limit: number): Promise<LegRow[]> =>
  await db
    .selectFrom('transfer_legs')
    .selectAll()
    .where('status', 'in', [sql.lit<LegStatus>('wanted'), sql.lit<LegStatus>('pending')])
    .where('kind', '<>', sql.lit('debit'))
    .where((eb) => eb.or([eb('retry_at', 'is', null), eb('retry_at', '<=', now)]))
    .where(debitWasReturned)
    .orderBy('id')
    .limit(limit)
    .execute()

export const postponeLeg = async (db: Db, id: string, until: Date): Promise<void> => {
  await db
    .updateTable('transfer_legs')
    .set({ retry_at: until })
    .where('id', '=', id)
    .where('status', 'in', ['wanted', 'pending'])
    .execute()
}
