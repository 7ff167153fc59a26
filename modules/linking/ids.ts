import { createHash } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const length = 22

/**
 * Derives our id of a Plaid transaction from the ids of the item and the transaction. It is stable when a transaction is removed and
 * added again, needs no lookup, and is as hard to guess as Plaid's id.
 */
export const transactionIdOf = (itemId: string, plaidTransactionId: string): string => {
  let value = BigInt(`0x${createHash('sha256').update(`${itemId}\n${plaidTransactionId}`).digest('hex')}`)
  let text = ''
  for (; text.length < length; value /= 62n) text += alphabet[Number(value % 62n)]
  return `txn_${text}`
}
