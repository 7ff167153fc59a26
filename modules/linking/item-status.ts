import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { PlaidFailure } from '../../plugins/plaid/index.ts'
import { setItemStatus, type Item } from './queries/items.ts'
import type { ItemStatus } from './tables.ts'

/** Whether the next sync reads everything again and removes what does not come back: Plaid refused the cursor, or accounts count again. */
export const isFreshSync = ({ syncCursor, lastSyncedAt }: Pick<Item, 'syncCursor' | 'lastSyncedAt'>): boolean =>
  syncCursor === null && lastSyncedAt !== null

const loginRequired = 'ITEM_LOGIN_REQUIRED'

/** Plaid counts it as an error of the item, but it ends without the end-user's help. */
const notReady = 'PRODUCT_NOT_READY'

/** The item status that a failed call implies; undefined when the failure is temporary. */
const statusOfFailure = ({ errorType, errorCode }: PlaidFailure): ItemStatus | undefined => {
  if (errorCode === loginRequired) return 'login_required'
  if (errorCode === notReady) return undefined
  return errorType === 'ITEM_ERROR' || errorCode === 'INVALID_ACCESS_TOKEN' ? 'error' : undefined
}

/** The item status that the error code of a webhook implies. */
export const statusOfCode = (errorCode: string): ItemStatus =>
  errorCode === loginRequired ? 'login_required' : 'error'

/** Sets the status of an item, and publishes an event when the change requires action by the end-user. */
export const updateItemStatus = async (
  { outbox }: Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  id: string,
  status: ItemStatus,
  errorCode: string | null
): Promise<void> => {
  const item = await setItemStatus(trx, id, status, errorCode)
  if (item === undefined || errorCode === null) return
  const data = { item_id: item.id, user_id: item.userId, status, error_code: errorCode }
  await outbox.publish(trx, [
    { partnerId: item.partnerId, environment: item.environment, type: 'item.login_required', data }
  ])
}

/** Stores what a failed call implies for an item. @returns whether the failure lies with the item and is not temporary. */
export const recordItemFailure = async (
  app: Pick<FastifyInstance, 'database' | 'outbox'>,
  id: string,
  error: unknown
): Promise<boolean> => {
  if (!(error instanceof PlaidFailure)) return false
  const status = statusOfFailure(error)
  if (status === undefined) return false
  await transact(app.database.db, (trx) => updateItemStatus(app, trx, id, status, error.errorCode))
  return true
}
