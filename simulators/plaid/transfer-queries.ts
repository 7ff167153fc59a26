import { randomUUID } from 'node:crypto'
import type { Insertable, Selectable } from 'kysely'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { illegalTransferEvent } from './errors.ts'
import type { AuthorizationsTable, TransferFailure, TransferStatus } from './tables.ts'
import { isLegalStep, nextAutomaticStep } from './transfers.ts'
import type { TransferRecord } from './transfers.ts'

type Authorization = Selectable<AuthorizationsTable>

/** An idempotency key holds for 48 hours, as Plaid documents. */
const keyLifeMs = 48 * 3_600_000
const mostDueAtOnce = 500

export const findAuthorization = async (db: Db | Trx, id: string): Promise<Authorization | undefined> =>
  await db.selectFrom('plaid_sim_authorizations').selectAll().where('authorization_id', '=', id).executeTakeFirst()

/**
 * Stores an authorization, or answers the one that the same key made within 48 hours. Decisions that wait for
 * the user are not held by their key: the same key decides anew once the user has acted.
 */
export const insertAuthorization = async (
  db: Db,
  row: Insertable<AuthorizationsTable>,
  now: Date
): Promise<Authorization> =>
  await db.transaction().execute(async (trx) => {
    const key = row.idempotency_key
    if (key !== null && key !== undefined) {
      // The counter's row serves as the lock: two calls with one key must not both find nothing.
      await trx
        .selectFrom('plaid_sim_counters')
        .select('value')
        .where('name', '=', 'transfer_event')
        .forUpdate()
        .execute()
      const earlier = await trx
        .selectFrom('plaid_sim_authorizations')
        .selectAll()
        .where('idempotency_key', '=', key)
        .where('decision', '!=', 'user_action_required')
        .where('created_at', '>', new Date(now.getTime() - keyLifeMs))
        .orderBy('created_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      if (earlier !== undefined) return earlier
    }
    return await trx.insertInto('plaid_sim_authorizations').values(row).returningAll().executeTakeFirstOrThrow()
  })

const transfers = (db: Db | Trx) =>
  db
    .selectFrom('plaid_sim_transfers as transfer')
    .innerJoin(
      'plaid_sim_authorizations as authorization',
      'authorization.authorization_id',
      'transfer.authorization_id'
    )
    .select([
      'authorization.account_id',
      'authorization.type',
      'authorization.network',
      'authorization.ach_class',
      'authorization.legal_user'
    ])
    .selectAll('transfer')

export const findTransfer = async (
  db: Db | Trx,
  by: { transferId: string } | { authorizationId: string }
): Promise<TransferRecord | undefined> =>
  'transferId' in by
    ? await transfers(db).where('transfer.transfer_id', '=', by.transferId).executeTakeFirst()
    : await transfers(db).where('transfer.authorization_id', '=', by.authorizationId).executeTakeFirst()

/** Makes the transfer of an authorization, or answers the one that it has: there is never a second. */
export const insertTransfer = async (
  db: Db,
  authorization: Authorization,
  wanted: { amountCents: number; description: string; metadata: Record<string, string> | null; autosettle: boolean },
  now: Date
): Promise<{ transfer: TransferRecord; created: boolean }> =>
  await db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto('plaid_sim_transfers')
      .values({
        transfer_id: randomUUID(),
        authorization_id: authorization.authorization_id,
        amount_cents: wanted.amountCents,
        description: wanted.description,
        metadata: wanted.metadata === null ? null : JSON.stringify(wanted.metadata),
        status: 'pending',
        failure: null,
        created_at: now,
        next_due_at: wanted.autosettle ? (nextAutomaticStep('pending', now, authorization)?.at ?? null) : null
      })
      .onConflict((conflict) => conflict.column('authorization_id').doNothing())
      .returning('transfer_id')
      .executeTakeFirst()
    if (inserted !== undefined) await appendEvent(trx, inserted.transfer_id, 'pending', null, now)
    const transfer = await findTransfer(trx, { authorizationId: authorization.authorization_id })
    if (transfer === undefined) throw new Error('a transfer exists for its authorization after it was inserted')
    return { transfer, created: inserted !== undefined }
  })

const appendEvent = async (
  trx: Trx,
  transferId: string,
  type: TransferStatus,
  failure: TransferFailure | null,
  at: Date
): Promise<void> => {
  const { value } = await trx
    .updateTable('plaid_sim_counters')
    .set((eb) => ({ value: eb('value', '+', 1) }))
    .where('name', '=', 'transfer_event')
    .returning('value')
    .executeTakeFirstOrThrow()
  await trx
    .insertInto('plaid_sim_transfer_events')
    .values({
      event_id: Number(value),
      transfer_id: transferId,
      event_type: type,
      failure: failure === null ? null : JSON.stringify(failure),
      created_at: at
    })
    .execute()
}

/** Locks a transfer, so that of two steps the second sees what the first did. */
const lockTransfer = async (trx: Trx, transferId: string): Promise<TransferRecord | undefined> => {
  await trx
    .selectFrom('plaid_sim_transfers')
    .select('transfer_id')
    .where('transfer_id', '=', transferId)
    .forUpdate()
    .execute()
  return await findTransfer(trx, { transferId })
}

/**
 * Takes one step, with its event, in one transaction.
 *
 * @returns false when there is no such transfer
 * @throws PlaidApiError SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID when the status does not allow it
 */
export const stepTransfer = async (
  db: Db,
  transferId: string,
  to: string,
  failure: TransferFailure | null,
  at: Date,
  autosettle: boolean
): Promise<boolean> =>
  await db.transaction().execute(async (trx) => {
    const transfer = await lockTransfer(trx, transferId)
    if (transfer === undefined) return false
    if (!isLegalStep(transfer.status, to, transfer)) throw illegalTransferEvent()
    await moveTo(trx, transfer, to, failure, at, autosettle)
    return true
  })

const moveTo = async (
  trx: Trx,
  transfer: TransferRecord,
  to: TransferStatus,
  failure: TransferFailure | null,
  at: Date,
  autosettle: boolean
): Promise<void> => {
  await trx
    .updateTable('plaid_sim_transfers')
    .set({
      status: to,
      failure: failure === null ? null : JSON.stringify(failure),
      next_due_at: autosettle ? (nextAutomaticStep(to, at, transfer)?.at ?? null) : null
    })
    .where('transfer_id', '=', transfer.transfer_id)
    .execute()
  await appendEvent(trx, transfer.transfer_id, to, failure, at)
}

/** @returns whether it was cancelled: only a pending transfer can be; undefined when there is none */
export const cancelTransfer = async (db: Db, transferId: string, now: Date): Promise<boolean | undefined> =>
  await db.transaction().execute(async (trx) => {
    const transfer = await lockTransfer(trx, transferId)
    if (transfer === undefined) return undefined
    if (transfer.status !== 'pending') return false
    await moveTo(trx, transfer, 'cancelled', null, now, false)
    return true
  })

/** A bank takes a debit back that has settled, because there was no money or no permission after all. @throws Error when it has not settled */
export const takeBackDebit = async (db: Db, transferId: string, at: Date): Promise<void> => {
  await db.transaction().execute(async (trx) => {
    const transfer = await lockTransfer(trx, transferId)
    if (transfer?.type !== 'debit' || (transfer.status !== 'settled' && transfer.status !== 'funds_available')) {
      throw new Error(`${transferId} is no debit that has settled.`)
    }
    const failure = { failure_code: 'R10', ach_return_code: 'R10', description: 'Customer advises not authorized' }
    await moveTo(trx, transfer, 'returned', failure, at, false)
  })
}

/** Takes the steps that are due by the clock, oldest first. @returns how many were taken */
export const settleDue = async (db: Db, now: Date): Promise<number> => {
  let taken = 0
  while (taken < mostDueAtOnce) {
    const stepped = await db.transaction().execute(async (trx) => {
      const due = await trx
        .selectFrom('plaid_sim_transfers')
        .select(['transfer_id', 'next_due_at'])
        .where('next_due_at', '<=', now)
        .orderBy('next_due_at')
        .orderBy('transfer_id')
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst()
      if (due === undefined || due.next_due_at === null) return false
      const transfer = await findTransfer(trx, { transferId: due.transfer_id })
      const next = transfer === undefined ? null : nextAutomaticStep(transfer.status, due.next_due_at, transfer)
      if (transfer === undefined || next === null) return false
      await moveTo(trx, transfer, next.status, null, due.next_due_at, true)
      return true
    })
    if (!stepped) break
    taken++
  }
  return taken
}

/** Events after an id, in the order in which they became visible. One more than asked for tells whether there are more. */
export const findEventsAfter = async (db: Db, afterId: number, count: number) =>
  await db
    .selectFrom('plaid_sim_transfer_events as event')
    .innerJoin('plaid_sim_transfers as transfer', 'transfer.transfer_id', 'event.transfer_id')
    .innerJoin(
      'plaid_sim_authorizations as authorization',
      'authorization.authorization_id',
      'transfer.authorization_id'
    )
    .selectAll('event')
    .select(['authorization.account_id', 'authorization.type', 'transfer.amount_cents'])
    .where('event.event_id', '>', afterId)
    .orderBy('event.event_id')
    .limit(count + 1)
    .execute()
