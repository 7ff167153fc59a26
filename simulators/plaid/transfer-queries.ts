import { randomUUID } from 'node:crypto'
import type { Insertable, Selectable } from 'kysely'
import type { Db, Trx } from '../../plugins/database/types.ts'
import { illegalTransferEvent } from './errors.ts'
import type { AuthorizationsTable, TransferFailure, TransferStatus } from './tables.ts'
import { isLegalStep, nextAutomaticStep } from './transfers.ts'
import type { TransferRecord } from './transfers.ts'

type Authorization = Selectable<AuthorizationsTable>

/** An idempotency key expires after 48 hours, as Plaid documents. */
const keyLifeMs = 48 * 3_600_000
const mostDueAtOnce = 500

export const findAuthorization = async (db: Db | Trx, id: string): Promise<Authorization | undefined> =>
  await db
    .selectFrom('simulators.plaid_authorizations')
    .selectAll()
    .where('authorization_id', '=', id)
    .executeTakeFirst()

/**
 * Inserts an authorization, or returns the one that the same key created within 48 hours. After `user_action_required` the same
 * key gets a new decision, because the user may have acted.
 */
export const insertAuthorization = async (
  db: Db,
  row: Insertable<AuthorizationsTable>,
  now: Date
): Promise<Authorization> =>
  await db.transaction().execute(async (trx) => {
    const key = row.idempotency_key
    if (key !== null && key !== undefined) {
      // Locks the counter's row, so that of two calls with one key the second finds the first one's row.
      await trx
        .selectFrom('simulators.plaid_counters')
        .select('value')
        .where('name', '=', 'transfer_event')
        .forUpdate()
        .execute()
      const earlier = await trx
        .selectFrom('simulators.plaid_authorizations')
        .selectAll()
        .where('idempotency_key', '=', key)
        .where('decision', '!=', 'user_action_required')
        .where('created_at', '>', new Date(now.getTime() - keyLifeMs))
        .orderBy('created_at', 'desc')
        .limit(1)
        .executeTakeFirst()
      if (earlier !== undefined) return earlier
    }
    return await trx.insertInto('simulators.plaid_authorizations').values(row).returningAll().executeTakeFirstOrThrow()
  })

const transfers = (db: Db | Trx) =>
  db
    .selectFrom('simulators.plaid_transfers as transfer')
    .innerJoin(
      'simulators.plaid_authorizations as authorization',
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

/** Creates the transfer of an authorization, or returns the existing one: there is never a second. */
export const insertTransfer = async (
  db: Db,
  authorization: Authorization,
  wanted: { amountCents: number; description: string; metadata: Record<string, string> | null; autosettle: boolean },
  now: Date
): Promise<{ transfer: TransferRecord; created: boolean }> =>
  await db.transaction().execute(async (trx) => {
    const inserted = await trx
      .insertInto('simulators.plaid_transfers')
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
    .updateTable('simulators.plaid_counters')
    .set((eb) => ({ value: eb('value', '+', 1) }))
    .where('name', '=', 'transfer_event')
    .returning('value')
    .executeTakeFirstOrThrow()
  await trx
    .insertInto('simulators.plaid_transfer_events')
    .values({
      event_id: Number(value),
      transfer_id: transferId,
      event_type: type,
      failure: failure === null ? null : JSON.stringify(failure),
      created_at: at
    })
    .execute()
}

/** Locks a transfer, so that concurrent steps take turns. */
const lockTransfer = async (trx: Trx, transferId: string): Promise<TransferRecord | undefined> => {
  await trx
    .selectFrom('simulators.plaid_transfers')
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
    .updateTable('simulators.plaid_transfers')
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

/** Returns a settled debit, as a bank does when its customer objects. @throws Error when it has not settled */
export const takeBackDebit = async (db: Db, transferId: string, at: Date): Promise<void> => {
  await db.transaction().execute(async (trx) => {
    const transfer = await lockTransfer(trx, transferId)
    if (transfer?.type !== 'debit' || (transfer.status !== 'settled' && transfer.status !== 'funds_available')) {
      throw new Error(`${transferId} is not a settled debit.`)
    }
    const failure = { failure_code: 'R10', ach_return_code: 'R10', description: 'Customer advises not authorized' }
    await moveTo(trx, transfer, 'returned', failure, at, false)
  })
}

/** Takes the steps that are due by the clock, oldest first. @returns how many */
export const settleDue = async (db: Db, now: Date): Promise<number> => {
  let taken = 0
  while (taken < mostDueAtOnce) {
    const stepped = await db.transaction().execute(async (trx) => {
      const due = await trx
        .selectFrom('simulators.plaid_transfers')
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

/** Events after an id, in the order in which they became visible. One row more than `count` shows whether there are more. */
export const findEventsAfter = async (db: Db, afterId: number, count: number) =>
  await db
    .selectFrom('simulators.plaid_transfer_events as event')
    .innerJoin('simulators.plaid_transfers as transfer', 'transfer.transfer_id', 'event.transfer_id')
    .innerJoin(
      'simulators.plaid_authorizations as authorization',
      'authorization.authorization_id',
      'transfer.authorization_id'
    )
    .selectAll('event')
    .select(['authorization.account_id', 'authorization.type', 'transfer.amount_cents'])
    .where('event.event_id', '>', afterId)
    .orderBy('event.event_id')
    .limit(count + 1)
    .execute()
