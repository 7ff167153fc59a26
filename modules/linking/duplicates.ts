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

/** What equal accounts have in common: the bank's own identity, or else all that an end-user could tell them apart by. */
const tracesOf = ({ persistentAccountId, institutionId, mask, name, subtype }: SeenAccount): string[] => [
  ...(persistentAccountId === null ? [] : [JSON.stringify([persistentAccountId])]),
  ...(institutionId === null || mask === null ? [] : [JSON.stringify([institutionId, mask, name, subtype])])
]

/** An account that counts, and the items that show it. */
interface Counting {
  account: SeenAccount
  itemIds: Set<string>
  place: number
}

/**
 * Finds the accounts of one end-user that are another account seen through a second item. Only accounts that have something in common are
 * compared, so that the time does not grow with the square of their number.
 * @returns the account that counts in its place by the id of the duplicate. An account of an item duplicates at most one of another
 *   item, because one item can have several accounts with the same name and mask.
 */
export const findDuplicates = (accounts: SeenAccount[]): Map<string, string> => {
  const duplicates = new Map<string, string>()
  const counting = new Map<string, Counting[]>()
  for (const [place, account] of [...accounts].sort(byPreference).entries()) {
    const traces = tracesOf(account)
    const originals = traces.flatMap((trace) => {
      const original = counting
        .get(trace)
        ?.find(({ account: other, itemIds }) => !itemIds.has(account.itemId) && isSame(other, account))
      return original === undefined ? [] : [original]
    })
    const [original] = originals.sort((a, b) => a.place - b.place)
    if (original === undefined) {
      const own = { account, itemIds: new Set([account.itemId]), place }
      for (const trace of traces) {
        const sharing = counting.get(trace)
        if (sharing === undefined) counting.set(trace, [own])
        else sharing.push(own)
      }
    } else {
      duplicates.set(account.id, original.account.id)
      original.itemIds.add(account.itemId)
    }
  }
  return duplicates
}
