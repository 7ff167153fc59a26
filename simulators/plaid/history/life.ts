import { updateIntervalMs } from './days.ts'
import type { Merchant } from './merchants.ts'

/** The stages of a card payment: pending and posted are two transactions with their own ids. */
export type Stage = 'pending' | 'posted'

/**
 * The whole life of one payment. Times are milliseconds since 1970. Amounts have Plaid's sign: positive leaves the account.
 */
export interface Life {
  /** Unique within the item. */
  key: string
  mask: string
  merchant: Merchant
  line: string
  authorizedAt: number
  amountCents: number
  /** When it becomes pending; null when it is posted immediately. */
  pendingAt: number | null
  /** When it is posted; null when the hold is released instead. */
  postedAt: number | null
  /** When a hold that is never posted disappears. */
  releasedAt: number | null
  /** The posted amount, including a tip. */
  postedCents: number
  /** A later change of amount or category. */
  revision: { stage: Stage; at: number; amountCents: number; primary: string; detail: string } | null
  /** When the bank removes the posted transaction as a duplicate. */
  retractedAt: number | null
}

/** A change in an item's feed. */
export interface Change {
  /** When it becomes visible. */
  at: number
  kind: 'added' | 'modified' | 'removed'
  version: Version
}

/** A version of a transaction. */
export interface Version {
  life: Life
  stage: Stage
  revised: boolean
  /** Whether the posted transaction names a pending one, which it does only when that was visible. */
  replacesPending: boolean
}

export const versionKey = (version: Version): string => `${version.life.key}/${version.stage}`

const nextUpdate = (at: number) => Math.ceil(at / updateIntervalMs) * updateIntervalMs

/**
 * The changes that a payment contributes to the feed of an item linked at `linkedAt`, in order. A pending stage that ended
 * before the link is left out.
 *
 * @param immediate whether the first change is visible immediately, as for requested transactions
 */
export const changesOf = (life: Life, linkedAt: number, immediate = false): Change[] => {
  const changes: Change[] = []
  const seen = (at: number) => (immediate && changes.length === 0 ? at : nextUpdate(at))
  const pendingEnds = life.postedAt ?? life.releasedAt
  const replacesPending = life.pendingAt !== null && pendingEnds !== null && nextUpdate(pendingEnds) > linkedAt
  const step = (at: number, kind: Change['kind'], stage: Stage, revised: boolean) => {
    changes.push({
      at: seen(at),
      kind,
      version: { life, stage, revised, replacesPending: stage === 'posted' && replacesPending }
    })
  }
  const { revision } = life
  if (replacesPending && life.pendingAt !== null && pendingEnds !== null) {
    step(life.pendingAt, 'added', 'pending', false)
    if (revision?.stage === 'pending') step(revision.at, 'modified', 'pending', true)
    step(pendingEnds, 'removed', 'pending', false)
  }
  if (life.postedAt !== null) {
    step(life.postedAt, 'added', 'posted', false)
    if (revision?.stage === 'posted') step(revision.at, 'modified', 'posted', true)
    if (life.retractedAt !== null) step(life.retractedAt, 'removed', 'posted', revision?.stage === 'posted')
  }
  return changes
}
