import { updateIntervalMs } from './days.ts'
import type { Merchant } from './merchants.ts'

/** The stages of a card payment: the pending row and the posted row are two transactions with ids of their own. */
export type Stage = 'pending' | 'posted'

/**
 * Everything that ever happens to one payment. Times are milliseconds since 1970; amounts as on Plaid's wire: positive leaves the
 * account.
 */
export interface Life {
  /** Unique within the item. */
  key: string
  mask: string
  merchant: Merchant
  line: string
  authorizedAt: number
  amountCents: number
  /** When it shows as pending; null when it is posted at once. */
  pendingAt: number | null
  /** When it is posted; null when the hold is released instead. */
  postedAt: number | null
  /** When a hold that is never posted disappears. */
  releasedAt: number | null
  /** What the posted row says, a tip included. */
  postedCents: number
  /** A change of the row that exists then: another amount, or another category. */
  revision: { stage: Stage; at: number; amountCents: number; primary: string; detail: string } | null
  /** When the bank takes a posted row back (a duplicate). */
  retractedAt: number | null
}

/** One step of an item's feed. */
export interface Change {
  /** The moment from which it can be seen. */
  at: number
  kind: 'added' | 'modified' | 'removed'
  version: Version
}

/** One transaction as it is to be shown. */
export interface Version {
  life: Life
  stage: Stage
  revised: boolean
  /** Whether the posted row names a pending one: only when that one could be seen. */
  replacesPending: boolean
}

export const versionKey = (version: Version): string => `${version.life.key}/${version.stage}`

const nextUpdate = (at: number) => Math.ceil(at / updateIntervalMs) * updateIntervalMs

/**
 * The steps that one payment contributes to the feed of an item that was linked at `linkedAt`, in order.
 * What was over by then leaves no trace of its pending stage.
 *
 * @param immediate when the first step is visible at once (a payment that the sandbox was told to bring)
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
