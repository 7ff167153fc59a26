import { transferClaim, type Labelled } from './kinds.ts'

interface Leg extends Labelled {
  accountId: string
  amountCents: number
  day: number
  internal: boolean
}

interface ClaimedLeg {
  leg: Leg
  claim: ReturnType<typeof transferClaim>
}

/** A transfer between banks can take a long weekend. */
const maxTransferDays = 4
/** How many equal amounts of these days are compared; more are no person's transfers. */
const maxCompared = 40

/** Whether two legs say that they are one transfer. Equal amounts alone prove nothing: rent and pay of equal size are not a transfer. */
const areOneTransfer = (out: ClaimedLeg, into: ClaimedLeg): boolean =>
  out.leg.accountId !== into.leg.accountId &&
  (out.claim === 'own' || into.claim === 'own' || (out.claim === 'transfer' && into.claim === 'transfer'))

/**
 * Marks the transfers between a person's own accounts, which are neither income nor bills. The legs are on different accounts, have
 * equal amounts, leave before or on the day they arrive, at most four days apart, and are transfers by category or words. The oldest
 * legs are paired first, so that old pairs stay when new transactions arrive.
 * @param ordered by day, ascending.
 */
export const markOwnTransfers = (ordered: readonly Leg[]): void => {
  const arriving = new Set(ordered.flatMap(({ amountCents }) => (amountCents < 0 ? [-amountCents] : [])))
  const leaving = new Map<number, ClaimedLeg[]>()
  const departures = ordered.filter(({ amountCents }) => amountCents > 0 && arriving.has(amountCents))
  let next = 0
  for (const leg of ordered) {
    if (leg.amountCents >= 0) continue
    for (; next < departures.length && (departures[next]?.day ?? 0) <= leg.day; next++) {
      const out = departures[next] as Leg
      const claim = transferClaim(out)
      const waiting = leaving.get(out.amountCents)
      if (claim === 'other') continue
      if (waiting === undefined) leaving.set(out.amountCents, [{ leg: out, claim }])
      else waiting.push({ leg: out, claim })
    }
    const waiting = leaving.get(-leg.amountCents)
    if (waiting === undefined) continue
    while (waiting[0] !== undefined && leg.day - waiting[0].leg.day > maxTransferDays) waiting.shift()
    const into = { leg, claim: transferClaim(leg) }
    const index =
      into.claim === 'other' ? -1 : waiting.slice(0, maxCompared).findIndex((out) => areOneTransfer(out, into))
    const [out] = index < 0 ? [] : waiting.splice(index, 1)
    if (out) out.leg.internal = leg.internal = true
  }
}
