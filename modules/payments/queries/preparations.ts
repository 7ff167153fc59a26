import { sql } from 'kysely'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import { newId } from '../../../plugins/ids.ts'
import { selectHeldItems } from '../../linking/index.ts'
import type { Network } from '../rails.ts'
import type { LegRow } from './legs.ts'
import type { NewTransfer, TransferEventRow, TransferRow } from './transfers.ts'

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
  /** What the account's other transfers hold leaves too little, in cents. */
  | { outcome: 'insufficient'; heldCents: number }
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
export const insertPreparation = async (trx: Trx, { transfer, debitNetwork, itemIds, availableCents }: NewPreparation): Promise<PreparationOutcome> => {
  const rows = await insertRows(trx, { ...transfer, item_ids: itemIds, available_cents: availableCents, debit_id: newId('leg'), debit_network: debitNetwork })
  const [row] = rows
  if (row === undefined || row.held_cents === null) return { outcome: 'unlinked' }
  const { held_cents: heldCents, ...debit } = row
  if (debit.id === null) return { outcome: 'insufficient', heldCents }
  return { outcome: 'prepared', transfer: { ...transfer, state: 'preparing', last_sequence: 0 }, debit }
}

export interface Submission {
  transferId: string
  plaidTransferId: string
  /** Whether the request that made the transfer is answered with it; from the commit on its idempotency key answers for it. */
  answered: boolean
  now: Date
}

export interface Submitted extends TransferEventRow {
  /** Whether Plaid has told of its debit already. */
  has_news: boolean
}

/** Gives a prepared transfer, whose debit Plaid has taken, its first event. Answers nothing when it is not in preparation any more. */
export const submitPreparation = prepared<Submission>()(
  (_db, place) => sql<Submitted>`
    with transfer as (
      update transfers set request_key = case when ${place('answered')}::boolean then null else request_key end
      where id = ${place('transferId')} and state = 'preparing'
      returning id, last_sequence
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
    select event.*, exists (select from plaid_transfer_events where plaid_transfer_id = ${place('plaidTransferId')} and applied_at is null) as has_news from event`
)
