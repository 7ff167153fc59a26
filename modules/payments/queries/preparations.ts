import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import { selectHeldItems } from '../../linking/index.ts'
import type { Network } from '../settlement-calendar.ts'
import { legColumns, type Leg } from './legs.ts'
import {
  transferColumns,
  type NewTransfer,
  type SubmittedTransfer,
  type Transfer,
  type TransferEvent
} from './transfers.ts'

export interface NewPreparation {
  transfer: NewTransfer
  debitNetwork: Network
  /** The items of the transfer's accounts; they cannot be deleted while it is under way. */
  itemIds: string[]
  /** The available balance that the bank reports, in cents; null when it reports none. */
  availableCents: number | null
}

export type PreparationOutcome =
  | { outcome: 'prepared'; transfer: Transfer; debit: Leg }
  /** The account's other transfers leave too little of its balance, in cents. */
  | { outcome: 'insufficient'; leftCents: number }
  /** An item is deleted or being deleted. */
  | { outcome: 'unlinked' }

type PreparationParameters = NewTransfer & Omit<NewPreparation, 'transfer'> & { debitId: string }

/** The columns of a table in raw SQL, under their camelCase names. */
const columnsOf = (table: string, columns: readonly string[]) =>
  sql.join(
    columns.map((column) => {
      const [name = '', alias = name] = column.split(' as ')
      return sql`${sql.ref(`${table}.${name}`)} as ${sql.id(alias)}`
    })
  )

/**
 * Locks the account's row of `account_funds` and reads it again under the lock, so that each of several parallel transfers sees what the others hold. The database
 * adds up the holds and rejects more than is available.
 */
const insertRows = prepared<PreparationParameters>()(
  (_db, place) => sql<{ heldCents: number | null } & (Leg | { id: null })>`
    with held_item as (${selectHeldItems(place('itemIds'), place('createdAt'))}),
    funds as (
      insert into account_funds (account_id, held_cents)
      select ${place('fromAccountId')}, 0 where (select count(*) from held_item) = (select count(distinct id) from unnest(${place('itemIds')}::text[]) as wanted (id))
      on conflict (account_id) do update set held_cents = account_funds.held_cents
      returning held_cents
    ),
    transfer as (
      insert into transfers (id, partner_id, environment, request_key, user_id, from_account_id, to_account_id, amount_cents, currency, memo, legal_name, credit_rail,
        created_at, touched_at)
      select ${place('id')}, ${place('partnerId')}, ${place('environment')}, ${place('requestKey')}, ${place('userId')}, ${place('fromAccountId')},
        ${place('toAccountId')}, ${place('amountCents')}::bigint, ${place('currency')}, ${place('memo')}, ${place('legalName')}, ${place('creditRail')},
        ${place('createdAt')}::timestamptz, ${place('touchedAt')}::timestamptz
      from funds
      where ${place('availableCents')}::bigint is null or ${place('availableCents')}::bigint - funds.held_cents >= ${place('amountCents')}::bigint
      returning *
    ),
    hold as (
      insert into transfer_holds (transfer_id, account_id, amount_cents, available_cents, created_at)
      select id, from_account_id, amount_cents, ${place('availableCents')}::bigint, created_at from transfer
    ),
    debit as (
      insert into transfer_legs (id, transfer_id, amount_cents, kind, attempt, network, status, created_at)
      select ${place('debitId')}, id, amount_cents, 'debit', 1, ${place('debitNetwork')}, 'wanted', created_at from transfer
      returning *
    )
    select (select held_cents from funds) as "heldCents", ${columnsOf('debit', legColumns)} from (select) as always left join debit on true`
)

/** Stores a transfer with its debit and the hold of its funds in one statement. Partners do not see it yet. */
export const insertPreparation = async (
  trx: Trx,
  { transfer, ...terms }: NewPreparation
): Promise<PreparationOutcome> => {
  const [row] = await insertRows(trx, { ...transfer, ...terms, debitId: newId('leg') })
  if (row === undefined || row.heldCents === null) return { outcome: 'unlinked' }
  const { heldCents, ...debit } = row
  if (debit.id === null) return { outcome: 'insufficient', leftCents: (terms.availableCents ?? 0) - heldCents }
  return { outcome: 'prepared', transfer: { ...transfer, state: 'preparing', lastSequence: 0 }, debit }
}

export interface Submission {
  transferId: string
  plaidTransferId: string
  /** Whether this transaction also stores the response of the request that created the transfer; see `clearRequestKey`. */
  clearsRequestKey: boolean
  now: Date
}

export interface Submitted {
  transfer: SubmittedTransfer
  event: TransferEvent
  /** Whether Plaid's events of its debit have already arrived. */
  hasNews: boolean
}

const submitRows = prepared<Submission>()(
  (_db, place) => sql<Transfer & { eventSequence: number; eventCreatedAt: Date; hasNews: boolean }>`
    with transfer as (
      update transfers set request_key = case when ${place('clearsRequestKey')}::boolean then null else request_key end
      where id = ${place('transferId')} and state = 'preparing'
      returning *
    ),
    debit as (
      update transfer_legs set status = 'pending', plaid_transfer_id = ${place('plaidTransferId')}, retry_at = null from transfer
      where transfer_legs.transfer_id = transfer.id and transfer_legs.kind = 'debit' and transfer_legs.status = 'wanted'
      returning transfer_legs.transfer_id
    ),
    event as (
      insert into transfer_events (transfer_id, sequence, state, created_at)
      select transfer.id, transfer.last_sequence + 1, 'submitted', ${place('now')}::timestamptz from transfer join debit on debit.transfer_id = transfer.id
      returning *
    )
    select ${columnsOf('transfer', transferColumns)}, event.sequence as "eventSequence", event.created_at as "eventCreatedAt",
      exists (select from plaid_transfer_events where plaid_transfer_id = ${place('plaidTransferId')} and applied_at is null) as "hasNews"
    from transfer join event on event.transfer_id = transfer.id`
)

/** Adds the first event to a prepared transfer whose debit Plaid has accepted. Undefined when it is no longer in preparation. */
export const submitPreparation = async (trx: Trx, submission: Submission): Promise<Submitted | undefined> => {
  const [row] = await submitRows(trx, submission)
  if (row === undefined) return undefined
  const { eventSequence: lastSequence, eventCreatedAt: createdAt, hasNews, ...transfer } = row
  return {
    transfer: { ...transfer, state: 'submitted', lastSequence },
    event: { state: 'submitted', reason: null, createdAt },
    hasNews
  }
}

/** Preparations that were last touched before a moment, oldest first. */
export const listStalePreparations = async (db: Db, before: Date, limit: number): Promise<Transfer[]> =>
  await db
    .selectFrom('transfers')
    .select(transferColumns)
    .where('state', '=', sql.lit('preparing'))
    .where('touched_at', '<', before)
    .orderBy('touched_at')
    .limit(limit)
    .execute()

/**
 * Deletes a preparation with its leg and its hold.
 * @param touchedAt deletes only if the preparation was not touched since; undefined for the request that owns it
 */
export const deletePreparation = async (db: Db, id: string, touchedAt?: Date): Promise<void> => {
  await db
    .deleteFrom('transfers')
    .where('id', '=', id)
    .where('state', '=', 'preparing')
    .$if(touchedAt !== undefined, (query) => query.where('touched_at', '=', touchedAt ?? new Date(0)))
    .execute()
}

/** Releases a transfer's hold once the bank's own balance includes its debit; when a transfer ends, the database does it. */
export const releaseHold = async (trx: Trx, transferId: string, now: Date): Promise<void> => {
  await trx
    .updateTable('transfer_holds')
    .set({ released_at: now })
    .where('transfer_id', '=', transferId)
    .where('released_at', 'is', null)
    .execute()
}
