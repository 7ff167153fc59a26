import type { ItemRemovalCheck } from '../../plugins/plaid/index.ts'
import { transfersUnderWay } from './errors.ts'
import { listUnderWay } from './queries/transfers.ts'

const mostNamed = 100

/**
 * Keeps an item's access while a transfer from or to one of its accounts needs it: without it money that Plaid has taken could reach neither its
 * destination nor its source.
 * @throws ProblemError 409 `transfers_under_way`
 */
export const refuseWhileUnderWay: ItemRemovalCheck = async (trx, { partnerId, accountIds }) => {
  const transfers = await listUnderWay(trx, partnerId, accountIds, mostNamed)
  if (transfers.length === 0) return
  const named = transfers.slice(0, 3).join(', ')
  throw transfersUnderWay(
    `Transfers of this item are under way: ${named}${transfers.length > 3 ? ' and others' : ''}. Wait for them, or cancel those that are submitted.`,
    { transfers }
  )
}
