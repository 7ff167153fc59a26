import type { Account, AccountTemplate } from '../account-templates.ts'
import type { PlaidApiError } from '../errors.ts'
import type { Life } from '../history/life.ts'
import type { WireTransaction } from '../history/render.ts'
import type { SeededRandom } from '../random.ts'

/** The item and the moment that a behaviour acts on. Times are milliseconds since 1970. */
export interface Moment {
  /** What the person's data derives from; items of one person at one bank share it. */
  seed: string
  linkedAt: number
  now: number
  /** When the end-user last consented, at first or in Link's update mode. */
  consentedAt: number
  /** Whether the end-user has shared accounts that were added in Link's update mode. */
  sharesAll: boolean
}

/** A record on the wire. */
export interface WireRecord {
  /** What is sent. */
  record: unknown
  /** Whether it keeps Plaid's contract, so that a client can be expected to use it. */
  isSound: boolean
}

export type UpdateStatus = 'NOT_READY' | 'INITIAL_UPDATE_COMPLETE' | 'HISTORICAL_UPDATE_COMPLETE'

/**
 * One way in which real banks differ from a polite one. A bank is a list of behaviours, and every list works: each hook changes only what it is
 * about. All choices derive from the seed and from what is being changed, so that every instance and every call gives the same data.
 */
export interface Behaviour {
  name: string
  /** Changes the accounts that the bank lists at a moment. */
  accounts?: (accounts: AccountTemplate[], moment: Moment) => AccountTemplate[]
  /** Changes an account on the wire. */
  account?: (account: Account, moment: Moment) => WireRecord
  /** Payments of a day (days since 1970-01-01, UTC), besides the person's usual ones. */
  lives?: (seed: string, day: number) => Life[]
  /** Changes the course of a payment. */
  life?: (life: Life, random: SeededRandom) => Life
  /** When a payment becomes visible at the earliest, for banks that give the history later. */
  visibleFrom?: (life: Life, linkedAt: number) => number
  /** Changes a transaction on the wire. */
  transaction?: (transaction: WireTransaction, random: SeededRandom) => WireRecord
  /** Records that the bank adds to what it returns as added. */
  strays?: (moment: Moment) => unknown[]
  /** How much of the history Plaid has. */
  updateStatus?: (moment: Moment) => UpdateStatus
  /** Whether Plaid no longer accepts a cursor that was at rest at `from`. */
  refusesCursor?: (from: number, moment: Moment) => boolean
  /** The error of /accounts/balance/get for these accounts, if it has one. */
  balanceError?(accounts: Account[], minLastUpdated: string | undefined, moment: Moment): PlaidApiError | undefined
  /** When the end-user's consent expires; with a webhook when it is soon. */
  consentEndsAt?: (moment: Moment) => number
  /** Whether the bank has accounts that the end-user has not shared. */
  offersMoreAccounts?: boolean
}
