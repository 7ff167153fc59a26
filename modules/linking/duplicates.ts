/** What tells whether an account of an end-user is another one seen through a second item. */
export interface SeenAccount {
  id: string
  itemId: string
  itemWorks: boolean
  itemCreatedAt: Date
  institutionId: string | null
  ordinal: number
  name: string
  mask: string | null
  subtype: string | null
  persistentAccountId: string | null
  isClosed: boolean
  duplicateOf: string | null
}

/** The bank's own identity decides where both accounts have one; otherwise all that an end-user could tell them apart by. */
const isSame = (a: SeenAccount, b: SeenAccount): boolean => {
  if (a.persistentAccountId !== null && b.persistentAccountId !== null)
    return a.persistentAccountId === b.persistentAccountId
  return (
    a.institutionId !== null &&
    a.mask !== null &&
    a.institutionId === b.institutionId &&
    a.mask === b.mask &&
    a.name === b.name &&
    a.subtype === b.subtype
  )
}

/**
 * Which of equal accounts counts: an open one, of an item that works, that counts already, of the oldest item. So an account keeps
 * counting until its item breaks and another one shows the account.
 */
const byPreference = (a: SeenAccount, b: SeenAccount): number =>
  Number(a.isClosed) - Number(b.isClosed) ||
  Number(b.itemWorks) - Number(a.itemWorks) ||
  Number(a.duplicateOf !== null) - Number(b.duplicateOf !== null) ||
  a.itemCreatedAt.getTime() - b.itemCreatedAt.getTime() ||
  (a.itemId < b.itemId ? -1 : a.itemId > b.itemId ? 1 : 0) ||
  a.ordinal - b.ordinal ||
  (a.id < b.id ? -1 : 1)

/**
 * Finds the accounts of one end-user that are another account seen through a second item.
 * @returns the account that counts in its place by the id of the duplicate. An account of an item duplicates at most one of another
 *   item, because one item can have several accounts with the same name and mask.
 */
export const findDuplicates = (accounts: SeenAccount[]): Map<string, string> => {
  const duplicates = new Map<string, string>()
  const counting: { account: SeenAccount; itemIds: Set<string> }[] = []
  for (const account of [...accounts].sort(byPreference)) {
    const original = counting.find(
      ({ account: other, itemIds }) => !itemIds.has(account.itemId) && isSame(other, account)
    )
    if (original === undefined) {
      counting.push({ account, itemIds: new Set([account.itemId]) })
    } else {
      duplicates.set(account.id, original.account.id)
      original.itemIds.add(account.itemId)
    }
  }
  return duplicates
}
