import { sql, type Selectable } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import type { Db, Trx } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { RecipientsTable } from '../tables.ts'
import type { Viewer } from './transfers.ts'

export type RecipientRow = Selectable<RecipientsTable>

/** What a recipient's secrets are encrypted for: the row and the column that they stand in. */
export const accountNumberContext = (recipientId: string): string => `recipients.account_number:${recipientId}`
export const accessTokenContext = (recipientId: string): string => `recipients.access_token:${recipientId}`

const findRows = prepared<{ id: string; partnerId: string; environments: Environment[]; deleted: boolean }>()(
  (db, place) =>
    db
      .selectFrom('recipients')
      .selectAll()
      .where('id', '=', place('id'))
      .where('partner_id', '=', place('partnerId'))
      .where('environment', '=', (eb) => eb.fn.any(place('environments')))
      .where((eb) => eb.or([sql<boolean>`${place('deleted')}::boolean`, eb('deleted_at', 'is', null)]))
)

/** A recipient of the partner's; a deleted one only for transfers that were made before. */
export const findRecipient = async (
  db: Db,
  { partnerId, environments }: Viewer,
  id: string,
  { deleted = false }: { deleted?: boolean } = {}
): Promise<RecipientRow | undefined> => (await findRows(db, { id, partnerId, environments, deleted }))[0]

export const insertRecipient = async (trx: Trx, recipient: RecipientRow): Promise<RecipientRow> =>
  await trx.insertInto('recipients').values(recipient).returningAll().executeTakeFirstOrThrow()

/** One page of recipients, newest first, and one row more when there are more. */
export const pageRecipients = async (
  db: Db,
  { partnerId, environments }: Viewer,
  userId: string | undefined,
  limit: number,
  after?: TimePosition
) =>
  await db
    .selectFrom('recipients')
    .selectAll()
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('deleted_at', 'is', null)
    .$if(userId !== undefined, (query) => query.where('user_id', '=', userId ?? ''))
    .$if(after !== undefined, (query) =>
      query.where(sql<boolean>`(created_at, id) < (${after?.at}::timestamptz, ${after?.id})`)
    )
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1)
    .execute()

/** Deletes a recipient and forgets its account number at once. */
export const markRecipientDeleted = async (
  trx: Trx,
  { id, partner_id }: Pick<RecipientRow, 'id' | 'partner_id'>,
  now: Date
): Promise<void> => {
  await trx
    .updateTable('recipients')
    .set({ deleted_at: now, account_number: null })
    .where('id', '=', id)
    .where('partner_id', '=', partner_id)
    .where('deleted_at', 'is', null)
    .execute()
}

/** Forgets the access to deleted recipients that no transfer needs any more. */
export const eraseDeletedRecipients = async (db: Db): Promise<void> => {
  await db
    .updateTable('recipients')
    .set({ access_token: null })
    .where('deleted_at', 'is not', null)
    .where('access_token', 'is not', null)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('transfers')
            .select('transfers.id')
            .whereRef('transfers.to_account_id', '=', 'recipients.id')
            .where('transfers.state', 'in', ['preparing', 'submitted', 'pending', 'posted'])
        )
      )
    )
    .execute()
}
