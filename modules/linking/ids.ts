import { createHash } from 'node:crypto'

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const length = 22

/**
 * Our id of a transaction of Plaid's: always the same for the same one of the same item, so that it survives being removed and coming back, and
 * nothing has to be looked up. Plaid's ids cannot be guessed, so neither can these.
 */
export const transactionIdOf = (itemId: string, plaidTransactionId: string): string => {
  let value = BigInt(`0x${createHash('sha256').update(`${itemId}\n${plaidTransactionId}`).digest('hex')}`)
  let text = ''
  for (; text.length < length; value /= 62n) text += alphabet[Number(value % 62n)]
  return `txn_${text}`
}
