import { sql, type Selectable } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { TransferEventsTable, TransfersTable } from '../tables.ts'
import type { TransferState } from '../transfer-states.ts'

/** Whose transfers are seen, and of which environments. */
export interface Viewer {
  partnerId: string
  environments: Environment[]
}

export type TransferRow = Selectable<TransfersTable>
export type SubmittedTransfer = TransferRow & { state: TransferState }
export type TransferEventRow = Selectable<TransferEventsTable>

const findSubmitted = prepared<{ id: string; partnerId: string; environments: Environment[] }>()((db, place) =>
  db
    .selectFrom('transfers')
    .selectAll()
    .where('id', '=', place('id'))
    .where('partner_id', '=', place('partnerId'))
    .where('environment', '=', (eb) => eb.fn.any(place('environments')))
    .where('state', '<>', 'preparing')
)

/** A transfer that the partner can see; one in preparation is not. */
export const findTransfer = async (
  db: Db,
  { partnerId, environments }: Viewer,
  id: string
): Promise<SubmittedTransfer | undefined> =>
  (await findSubmitted(db, { id, partnerId, environments }))[0] as SubmittedTransfer | undefined

export const readTransfer = async (db: Db, id: string): Promise<TransferRow | undefined> =>
  await db.selectFrom('transfers').selectAll().where('id', '=', id).executeTakeFirst()

/** Everything about one transfer changes under this lock. */
export const lockTransfer = async (trx: Trx, id: string): Promise<TransferRow | undefined> =>
  await trx.selectFrom('transfers').selectAll().where('id', '=', id).forUpdate().executeTakeFirst()

export interface TransferFilter {
  userId?: string | undefined
  state?: TransferState | undefined
}

/** One page of transfers, newest first, and one row more when there are more. */
export const pageTransfers = async (
  db: Db,
  { partnerId, environments }: Viewer,
  filter: TransferFilter,
  limit: number,
  after?: TimePosition
) =>
  (await db
    .selectFrom('transfers')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('state', '<>', 'preparing')
    .$if(filter.userId !== undefined, (query) => query.where('user_id', '=', filter.userId ?? ''))
    .$if(filter.state !== undefined, (query) => query.where('state', '=', filter.state ?? 'submitted'))
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) < (${after?.at}::timestamptz, ${after?.id})`)
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()) as SubmittedTransfer[]

const eventsOf = prepared<{ transferId: string }>()((db, place) =>
  db.selectFrom('transfer_events').selectAll().where('transfer_id', '=', place('transferId')).orderBy('sequence')
)

export const listEvents = async (db: Db, transferId: string): Promise<TransferEventRow[]> =>
  await eventsOf(db, { transferId })

/** Appends the next event of a locked transfer; the database refuses a step that is not legal. */
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

export type NewTransfer = Omit<TransferRow, 'state' | 'last_sequence'>

/** The transfer of an earlier attempt of a request whose answer was never committed. Taking it up keeps the sweeper away from it. */
export const takeUpTransfer = prepared<{ partnerId: string; requestKey: string; now: Date }>()((db, place) =>
  db
    .updateTable('transfers')
    .set({ touched_at: place('now') })
    .where('partner_id', '=', place('partnerId'))
    .where('request_key', '=', place('requestKey'))
    .returningAll()
)

/** The answer of the request commits with this: from now on its idempotency key answers for it. */
export const forgetRequest = async (trx: Trx, id: string): Promise<void> => {
  await trx.updateTable('transfers').set({ request_key: null }).where('id', '=', id).execute()
}

/** Preparations that nobody has worked on since `before`. */
export const listStalePreparations = async (db: Db, before: Date, limit: number): Promise<TransferRow[]> =>
  await db
    .selectFrom('transfers')
    .selectAll()
    .where('state', '=', sql.lit('preparing'))
    .where('touched_at', '<', before)
    .orderBy('touched_at')
    .limit(limit)
    .execute()

/**
 * Deletes a preparation with its leg and its hold.
 * @param touchedAt deletes only when nobody has taken it up since; undefined for whoever works on it.
 */
export const deletePreparation = async (db: Db, id: string, touchedAt?: Date): Promise<boolean> => {
  const { numDeletedRows } = await db
    .deleteFrom('transfers')
    .where('id', '=', id)
    .where('state', '=', 'preparing')
    .$if(touchedAt !== undefined, (query) => query.where('touched_at', '=', touchedAt ?? new Date(0)))
    .executeTakeFirst()
  return numDeletedRows > 0n
}

/** Forgets requests whose idempotency key is free again. */
export const forgetOldRequests = async (db: Db, before: Date): Promise<void> => {
  await db
    .updateTable('transfers')
    .set({ request_key: null })
    .where('request_key', 'is not', null)
    .where('state', '<>', 'preparing')
    .where('created_at', '<', before)
    .execute()
}

/** Whether anything of these environments has moved since a moment, or may still move. */
export const hasRecentTransfers = async (db: Db, environments: Environment[], since: Date): Promise<boolean> =>
  (await db
    .selectFrom('transfers')
    .select('id')
    .where('environment', 'in', environments)
    .where('touched_at', '>', since)
    .limit(1)
    .executeTakeFirst()) !== undefined

/** Transfers from or to these accounts that have not come to their end, preparations and refunds included. */
export const listUnderWay = async (
  db: Db,
  partnerId: string,
  accountIds: string[],
  limit: number
): Promise<string[]> => {
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
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
  return rows.map(({ id }) => id)
}
