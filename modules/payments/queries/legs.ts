import { sql, type Selection } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import { toRow } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import type { LegStatus } from '../leg-states.ts'

export const legColumns = [
  'id',
  'transfer_id as transferId',
  'amount_cents as amountCents',
  'kind',
  'attempt',
  'network',
  'status',
  'authorization_attempt as authorizationAttempt',
  'authorization_id as authorizationId',
  'authorized_at as authorizedAt',
  'plaid_transfer_id as plaidTransferId',
  'reason',
  'retry_at as retryAt',
  'created_at as createdAt'
] as const

export type Leg = Selection<Database, 'transfer_legs', (typeof legColumns)[number]>

const kindOrder = sql`array_position(array['debit', 'credit', 'refund'], kind)`

const legsOf = prepared<{ transferId: string }>()((db, place) =>
  db
    .selectFrom('transfer_legs')
    .select(legColumns)
    .where('transfer_id', '=', place('transferId'))
    .orderBy(kindOrder)
    .orderBy('attempt')
)

/** The legs of a transfer, oldest first. */
export const listLegs = async (db: Db, transferId: string): Promise<Leg[]> => await legsOf(db, { transferId })

/** The legs of several transfers by the transfer's id, each oldest first. */
export const listLegsOf = async (db: Db, transferIds: string[]): Promise<Map<string, Leg[]>> => {
  const byTransfer = new Map<string, Leg[]>(transferIds.map((id) => [id, []]))
  if (transferIds.length === 0) return byTransfer
  const legs = await db
    .selectFrom('transfer_legs')
    .select(legColumns)
    .where('transfer_id', '=', (eb) => eb.fn.any(eb.val(transferIds)))
    .orderBy(kindOrder)
    .orderBy('attempt')
    .execute()
  for (const leg of legs) byTransfer.get(leg.transferId)?.push(leg)
  return byTransfer
}

export const findLeg = async (db: Db, transferId: string, legId: string): Promise<Leg | undefined> =>
  (await listLegs(db, transferId)).find(({ id }) => id === legId)

export const findDebit = async (db: Db, transferId: string): Promise<Leg | undefined> =>
  (await listLegs(db, transferId)).find(({ kind }) => kind === 'debit')

export type WantedLeg = Pick<Leg, 'transferId' | 'amountCents' | 'kind' | 'network'> &
  Partial<Pick<Leg, 'attempt' | 'retryAt'>>

/** Inserts a leg to be sent to Plaid after the transaction. */
export const insertLeg = async (trx: Trx, leg: WantedLeg, now: Date): Promise<void> => {
  await trx
    .insertInto('transfer_legs')
    .values({ id: newId('leg'), attempt: 1, status: 'wanted', created_at: now, ...toRow(leg) })
    .execute()
}

export const setLegStatus = async (trx: Trx, id: string, status: LegStatus, reason: string | null): Promise<void> => {
  await trx.updateTable('transfer_legs').set({ status, reason }).where('id', '=', id).execute()
}

/** Cancels the wanted legs without an authorization: Plaid cannot have accepted them yet. */
export const cancelUnauthorized = async (trx: Trx, transferId: string, reason: string): Promise<void> => {
  await trx
    .updateTable('transfer_legs')
    .set({ status: 'cancelled', reason })
    .where('transfer_id', '=', transferId)
    .where('status', '=', 'wanted')
    .where('authorization_id', 'is', null)
    .execute()
}

/** Records that Plaid has accepted a leg. @returns whether the leg was still wanted */
export const setLegAccepted = async (trx: Trx, id: string, plaidTransferId: string): Promise<boolean> => {
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
    .returning(legColumns)
)

const readLeg = async (db: Db, id: string) =>
  await db.selectFrom('transfer_legs').select(legColumns).where('id', '=', id).executeTakeFirstOrThrow()

/** Stores Plaid's authorization unless another attempt was faster. @returns the stored leg, without an authorization when it was cancelled meanwhile */
export const saveAuthorization = async (db: Db, leg: Leg, authorizationId: string, now: Date): Promise<Leg> => {
  const [saved] = await setAuthorization(db, { id: leg.id, attempt: leg.authorizationAttempt, authorizationId, now })
  return saved ?? (await readLeg(db, leg.id))
}

/** Removes an authorization that expired unused. */
export const dropAuthorization = async (db: Db, leg: Leg): Promise<Leg> => {
  await db
    .updateTable('transfer_legs')
    .set((eb) => ({
      authorization_id: null,
      authorized_at: null,
      authorization_attempt: eb('authorization_attempt', '+', 1)
    }))
    .where('id', '=', leg.id)
    .where('authorization_attempt', '=', leg.authorizationAttempt)
    .execute()
  return await readLeg(db, leg.id)
}

/** A scalar subquery, so that the planner looks it up per leg instead of joining all legs. */
const debitWasReturned = sql<boolean>`
  coalesce((select true from transfer_legs debit where debit.transfer_id = transfer_legs.transfer_id and debit.kind = 'debit' and debit.status = 'returned' limit 1), false)`

/** Credits and refunds that are due to be sent to Plaid. Requests send their debits themselves. */
export const listWantedLegs = async (db: Db, now: Date, limit: number): Promise<Leg[]> =>
  await db
    .selectFrom('transfer_legs')
    .select(legColumns)
    .where('status', '=', sql.lit('wanted'))
    .where('kind', '<>', sql.lit('debit'))
    .where((eb) => eb.or([eb('retry_at', 'is', null), eb('retry_at', '<=', now)]))
    .where(sql<boolean>`not ${debitWasReturned}`)
    .orderBy(sql`retry_at nulls first`)
    .orderBy('id')
    .limit(limit)
    .execute()

/** Credits and refunds whose debit was returned, that their network does not have yet, and that are due for a (re)try. */
export const listLegsToRecall = async (db: Db, now: Date, limit: number): Promise<Leg[]> =>
  await db
    .selectFrom('transfer_legs')
    .select(legColumns)
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
