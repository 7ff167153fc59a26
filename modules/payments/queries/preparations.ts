import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import { selectHeldItems } from '../../linking/index.ts'
import type { Network } from '../rails.ts'
import type { LegRow } from './legs.ts'
import type { NewTransfer, SubmittedTransfer, TransferEventRow, TransferRow } from './transfers.ts'

export interface NewPreparation {
  transfer: NewTransfer
  debitNetwork: Network
  /** The items of the accounts that it needs; they stay while it is under way. */
  itemIds: string[]
  /** What the bank said was available, in cents; null when it said nothing. */
  availableCents: number | null
}

export type PreparationOutcome =
  | { outcome: 'prepared'; transfer: TransferRow; debit: LegRow }
  /** What the account's other transfers leave of it, in cents, is too little. */
  | { outcome: 'insufficient'; leftCents: number }
  /** An item is gone or about to be. */
  | { outcome: 'unlinked' }

type PreparationParameters = NewTransfer & {
  item_ids: string[]
  available_cents: number | null
  debit_id: string
  debit_network: Network
}

type PreparationRow = { held_cents: number | null } & (LegRow | { id: null })

/**
 * The account's row of `account_funds` is locked with what it says last, so that of parallel transfers each sees what the others hold; the database adds the
 * hold up, and refuses more than is available.
 */
const insertRows = prepared<PreparationParameters>()(
  (_db, place) => sql<PreparationRow>`
    with held_item as (${selectHeldItems(place('item_ids'), place('created_at'))}),
    funds as (
      insert into account_funds (account_id, held_cents)
      select ${place('from_account_id')}, 0 where (select count(*) from held_item) = (select count(distinct id) from unnest(${place('item_ids')}::text[]) as wanted (id))
      on conflict (account_id) do update set held_cents = account_funds.held_cents
      returning held_cents
    ),
    transfer as (
      insert into transfers (id, partner_id, environment, request_key, user_id, from_account_id, to_account_id, amount_cents, currency, memo, legal_name, rail,
        estimated_settlement, created_at, touched_at)
      select ${place('id')}, ${place('partner_id')}, ${place('environment')}, ${place('request_key')}, ${place('user_id')}, ${place('from_account_id')},
        ${place('to_account_id')}, ${place('amount_cents')}::bigint, ${place('currency')}, ${place('memo')}, ${place('legal_name')}, ${place('rail')},
        ${place('estimated_settlement')}::timestamptz, ${place('created_at')}::timestamptz, ${place('touched_at')}::timestamptz
      from funds
      where ${place('available_cents')}::bigint is null or ${place('available_cents')}::bigint - funds.held_cents >= ${place('amount_cents')}::bigint
      returning *
    ),
    hold as (
      insert into transfer_holds (transfer_id, account_id, amount_cents, available_cents, created_at)
      select id, from_account_id, amount_cents, ${place('available_cents')}::bigint, created_at from transfer
    ),
    debit as (
      insert into transfer_legs (id, transfer_id, amount_cents, kind, attempt, network, status, created_at)
      select ${place('debit_id')}, id, amount_cents, 'debit', 1, ${place('debit_network')}, 'wanted', created_at from transfer
      returning *
    )
    select (select held_cents from funds) as held_cents, debit.* from (select) as always left join debit on true`
)

/** Stores a transfer with its debit and the hold of its funds, all in one statement. Nobody sees it yet. */
export const insertPreparation = async (
  trx: Trx,
  { transfer, debitNetwork, itemIds, availableCents }: NewPreparation
): Promise<PreparationOutcome> => {
  const rows = await insertRows(trx, {
    ...transfer,
    item_ids: itemIds,
    available_cents: availableCents,
    debit_id: newId('leg'),
    debit_network: debitNetwork
  })
  const [row] = rows
  if (row === undefined || row.held_cents === null) return { outcome: 'unlinked' }
  const { held_cents: heldCents, ...debit } = row
  if (debit.id === null) return { outcome: 'insufficient', leftCents: (availableCents ?? 0) - heldCents }
  return { outcome: 'prepared', transfer: { ...transfer, state: 'preparing', last_sequence: 0 }, debit }
}

export interface Submission {
  transferId: string
  plaidTransferId: string
  /** Whether the request that made the transfer is answered with it; from the commit on its idempotency key answers for it. */
  answered: boolean
  now: Date
}

type SubmissionRow = TransferRow & {
  event_sequence: number
  event_created_at: Date
  has_news: boolean
}

export interface Submitted {
  transfer: SubmittedTransfer
  event: TransferEventRow
  /** Whether Plaid has told of its debit already. */
  hasNews: boolean
}

const submitRows = prepared<Submission>()(
  (_db, place) => sql<SubmissionRow>`
    with transfer as (
      update transfers set request_key = case when ${place('answered')}::boolean then null else request_key end
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
    select transfer.*, event.sequence as event_sequence, event.created_at as event_created_at,
      exists (select from plaid_transfer_events where plaid_transfer_id = ${place('plaidTransferId')} and applied_at is null) as has_news
    from transfer join event on event.transfer_id = transfer.id`
)

/** Gives a prepared transfer, whose debit Plaid has taken, its first event. Undefined when it is not in preparation any more. */
export const submitPreparation = async (trx: Trx, submission: Submission): Promise<Submitted | undefined> => {
  const [row] = await submitRows(trx, submission)
  if (row === undefined) return undefined
  const { event_sequence: sequence, event_created_at: createdAt, has_news: hasNews, ...transfer } = row
  return {
    transfer: { ...transfer, state: 'submitted', last_sequence: sequence },
    event: { transfer_id: transfer.id, sequence, state: 'submitted', reason: null, created_at: createdAt },
    hasNews
  }
}
