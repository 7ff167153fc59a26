import type { ItemRemovalCheck } from '../../plugins/plaid/index.ts'
import { transfersUnderWay } from './errors.ts'
import { listUnderWay } from './queries/transfers.ts'

const mostNamed = 100

/**
 * Keeps an item while a transfer from or to one of its accounts is under way: without the item's access token, money that Plaid holds could reach neither
 * its destination nor its source.
 * @throws ProblemError 409 `transfers_under_way`
 */
export const rejectWhileUnderWay: ItemRemovalCheck = async (trx, { partnerId, accountIds }) => {
  const transfers = await listUnderWay(trx, partnerId, accountIds, mostNamed)
  if (transfers.length > 0) throw transfersUnderWay(transfers)
}
