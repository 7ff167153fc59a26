import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { PlaidFailure } from '../../plugins/plaid/index.ts'
import { setItemStatus } from './queries/items.ts'
import type { ItemStatus } from './tables.ts'

const loginRequired = 'ITEM_LOGIN_REQUIRED'

/** What a code of Plaid's means for the item that it tells of; undefined when it tells nothing lasting. */
const statusOf = ({ errorType, errorCode }: PlaidFailure): ItemStatus | undefined => {
  if (errorCode === loginRequired) return 'login_required'
  return errorType === 'ITEM_ERROR' || errorCode === 'INVALID_ACCESS_TOKEN' ? 'error' : undefined
}

/** The status that an error webhook gives an item. */
export const statusOfCode = (errorCode: string): ItemStatus =>
  errorCode === loginRequired ? 'login_required' : 'error'

/** Notes an item's state, and tells the partner once when its end-user has something to do. */
export const markItem = async (
  app: FastifyInstance,
  trx: Trx,
  id: string,
  status: ItemStatus,
  errorCode: string | null
): Promise<void> => {
  const item = await setItemStatus(trx, id, status, errorCode)
  if (item === undefined || errorCode === null) return
  const data = { item_id: item.id, user_id: item.user_id, status, error_code: errorCode }
  await app.outbox.publish(trx, [{ partnerId: item.partner_id, type: 'item.login_required', data }])
}

/** Notes what a failed call tells of an item. @returns whether it tells of the item, and not of the moment. */
export const noteItemFailure = async (app: FastifyInstance, id: string, error: unknown): Promise<boolean> => {
  if (!(error instanceof PlaidFailure)) return false
  const status = statusOf(error)
  if (status === undefined) return false
  await transact(app.database.db, (trx) => markItem(app, trx, id, status, error.errorCode))
  return true
}
