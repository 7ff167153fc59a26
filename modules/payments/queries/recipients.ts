import { sql, type Selection } from 'kysely'
import type { Environment } from '../../../plugins/access/caller.ts'
import { prepared } from '../../../plugins/database/prepared.ts'
import { toRow } from '../../../plugins/database/rows.ts'
import type { Database, Db, Trx } from '../../../plugins/database/types.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'

const columns = [
  'id',
  'partner_id as partnerId',
  'environment',
  'user_id as userId',
  'name',
  'routing_number as routingNumber',
  'mask',
  'account_type as accountType',
  'plaid_account_id as plaidAccountId',
  'access_token as encryptedAccessToken',
  'created_at as createdAt'
] as const

export type Recipient = Selection<Database, 'recipients', (typeof columns)[number]>

/** The row and column that a recipient's encrypted fields are bound to. */
export const accountNumberContext = (recipientId: string): string => `recipients.account_number:${recipientId}`
export const accessTokenContext = (recipientId: string): string => `recipients.access_token:${recipientId}`

const recipientsById = prepared<{ id: string; partnerId: string; environments: Environment[]; deleted: boolean }>()(
  (db, place) =>
    db
      .selectFrom('recipients')
      .select(columns)
      .where('id', '=', place('id'))
      .where('partner_id', '=', place('partnerId'))
      .where('environment', '=', (eb) => eb.fn.any(place('environments')))
      .where((eb) => eb.or([sql<boolean>`${place('deleted')}::boolean`, eb('deleted_at', 'is', null)]))
)

/** A recipient of the partner. @param options.deleted finds deleted recipients too, for transfers that are under way to them */
export const findRecipient = async (
  db: Db,
  { partnerId, environments }: Viewer,
  id: string,
  { deleted = false }: { deleted?: boolean } = {}
): Promise<Recipient | undefined> => (await recipientsById(db, { id, partnerId, environments, deleted }))[0]

/** Selects the recipients of a partner that are not deleted. */
export const selectRecipients = (db: Db, { partnerId, environments }: Viewer) =>
  db
    .selectFrom('recipients')
    .select(columns)
    .where('partner_id', '=', partnerId)
    .where('environment', 'in', environments)
    .where('deleted_at', 'is', null)

export const insertRecipient = async (
  trx: Trx,
  { encryptedAccessToken, ...recipient }: Recipient,
  encryptedAccountNumber: Buffer
): Promise<void> => {
  await trx
    .insertInto('recipients')
    .values({ ...toRow(recipient), access_token: encryptedAccessToken, account_number: encryptedAccountNumber })
    .execute()
}

/** Up to `limit` recipients, newest first, after the given position. */
export const listRecipients = async (
  db: Db,
  viewer: Viewer,
  userId: string | undefined,
  limit: number,
  after?: TimePosition
): Promise<Recipient[]> =>
  await selectRecipients(db, viewer)
    .$if(userId !== undefined, (query) => query.where('user_id', '=', userId ?? ''))
    .$call(newestFirst(after, limit))
    .execute()

/** Marks a recipient as deleted and erases its account number. */
export const markRecipientDeleted = async (
  trx: Trx,
  { id, partnerId }: Pick<Recipient, 'id' | 'partnerId'>,
  now: Date
): Promise<void> => {
  await trx
    .updateTable('recipients')
    .set({ deleted_at: now, account_number: null })
    .where('id', '=', id)
    .where('partner_id', '=', partnerId)
    .where('deleted_at', 'is', null)
    .execute()
}

/** Erases the access tokens of deleted recipients that no transfer needs any more. */
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
