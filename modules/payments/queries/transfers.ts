import { sql, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import type { TransferState } from '../transfer-states.ts'

export const transferColumns = [
  'id',
  'partner_id as partnerId',
  'environment',
  'request_key as requestKey',
  'user_id as userId',
  'from_account_id as fromAccountId',
  'to_account_id as toAccountId',
  'amount_cents as amountCents',
  'currency',
  'memo',
  'legal_name as legalName',
  'credit_rail as creditRail',
  'state',
  'last_sequence as lastSequence',
  'created_at as createdAt',
  'touched_at as touchedAt'
] as const

export type Transfer = Selection<Database, 'transfers', (typeof transferColumns)[number]>
export type SubmittedTransfer = Transfer & { state: TransferState }
export type NewTransfer = Omit<Transfer, 'state' | 'lastSequence'>

const submittedTransfers = prepared<{ id: string; partnerId: string; environments: Environment[] }>()((db, place) =>
  db
    .selectFrom('transfers')
    .select(transferColumns)
    .where('id', '=', place('id'))
    .where('partner_id', '=', place('partnerId'))
    .where('environment', '=', (eb) => eb.fn.any(place('environments')))
    .where('state', '<>', 'preparing')
)

/** A transfer that the partner can see, which excludes preparations. */
export const findTransfer = async (
  db: Db,
  { partnerId, environments }: Viewer,
  id: string
): Promise<SubmittedTransfer | undefined> =>
  (await submittedTransfers(db, { id, partnerId, environments }))[0] as SubmittedTransfer | undefined

/** A transfer of any partner in any state, preparations included. */
export const readTransfer = async (db: Db, id: string): Promise<Transfer | undefined> =>
  await db.selectFrom('transfers').select(transferColumns).where('id', '=', id).executeTakeFirst()

/** Every change of a transfer, its legs and its events happens under this lock. */
export const lockTransfer = async (trx: Trx, id: string): Promise<Transfer | undefined> =>
  await trx.selectFrom('transfers').select(transferColumns).where('id', '=', id).forUpdate().executeTakeFirst()

const eventsOf = prepared<{ transferId: string }>()((db, place) =>
  db
    .selectFrom('transfer_events')
    .select(['state', 'reason', 'created_at as createdAt'])
    .where('transfer_id', '=', place('transferId'))
    .orderBy('sequence')
)

export type TransferEvent = Awaited<ReturnType<typeof eventsOf>>[number]

/** The events of a transfer, oldest first. */
export const listEvents = async (db: Db, transferId: string): Promise<TransferEvent[]> =>
  await eventsOf(db, { transferId })

/** Appends the next event of a locked transfer. @throws the database's error when the step is not legal */
export const insertEvent = async (
  trx: Trx,
  transferId: string,
  state: TransferState,
  reason: string | null,
  at: Date
): Promise<void> => {
  await sql`insert into transfer_events (transfer_id, sequence, state, reason, created_at)
    select id, last_sequence + 1, ${state}, ${reason}, ${at} from transfers where id = ${transferId}`.execute(trx)
}

/** The transfer of an earlier attempt of a request whose response was never committed. Touches it, so that the sweep leaves it alone. */
export const resumeTransfer = prepared<{ partnerId: string; requestKey: string; now: Date }>()((db, place) =>
  db
    .updateTable('transfers')
    .set({ touched_at: place('now') })
    .where('partner_id', '=', place('partnerId'))
    .where('request_key', '=', place('requestKey'))
    .returning(transferColumns)
)

/** Clears the request key in the transaction that stores the response: from then on the idempotency key replays it. */
export const clearRequestKey = async (trx: Trx, id: string): Promise<void> => {
  await trx.updateTable('transfers').set({ request_key: null }).where('id', '=', id).execute()
}

/** Clears request keys whose idempotency key has expired. */
export const clearOldRequestKeys = async (db: Db, before: Date): Promise<void> => {
  await db
    .updateTable('transfers')
    .set({ request_key: null })
    .where('request_key', 'is not', null)
    .where('state', '<>', 'preparing')
    .where('created_at', '<', before)
    .execute()
}

/** Whether a transfer of these environments has moved since a moment. */
export const hasRecentTransfers = async (db: Db, environments: Environment[], since: Date): Promise<boolean> =>
  (await db
    .selectFrom('transfers')
    .select('id')
    .where('environment', 'in', environments)
    .where('touched_at', '>', since)
    .limit(1)
    .executeTakeFirst()) !== undefined

/** The ids of transfers from or to these accounts that have not ended, preparations and refunds included. */
export const listUnderWay = async (db: Db, partnerId: string, accountIds: string[], limit: number) => {
  if (accountIds.length === 0) return []
  const rows = await db
    .selectFrom('transfers')
    .select('id')
    .where('partner_id', '=', partnerId)
    .where((eb) => eb.or([eb('from_account_id', 'in', accountIds), eb('to_account_id', 'in', accountIds)]))
    .where((eb) =>
      eb.or([
        eb('state', 'in', ['preparing', 'submitted', 'pending', 'posted']),
        eb.exists(
          eb
            .selectFrom('transfer_legs')
            .select('transfer_legs.id')
            .whereRef('transfer_id', '=', 'transfers.id')
            .where('status', 'in', ['wanted', 'pending', 'posted'])
        )
      ])
    )
    .$call(newestFirst(undefined, limit))
    .execute()
  return rows.map(({ id }) => id)
}
