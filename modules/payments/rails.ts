import { isSameDayOpen, settlementOf } from './settlement-calendar.ts'

/** How the destination is paid. The source is debited by ACH whatever the rail is: no network lets an instant payment be pulled. */
export type Rail = 'ach' | 'same_day_ach' | 'rtp'

/** Plaid's names of the networks. */
export type Network = 'ach' | 'same-day-ach' | 'rtp'

/** The RTP network's limit of one payment since February 2025 (The Clearing House). */
export const instantLimitCents = 10_000_000_00
/** Nacha's limit of one same-day entry. */
export const sameDayLimitCents = 1_000_000_00

export const networkOf = (rail: Rail): Network => (rail === 'same_day_ach' ? 'same-day-ach' : rail)

export interface Movement {
  amountCents: number
  at: Date
  /** Whether both ends are accounts that instant payments reach. */
  instantReach: boolean
}

const refusalOf: Readonly<Record<Rail, (movement: Movement) => string | undefined>> = {
  ach: () => undefined,
  same_day_ach: ({ amountCents, at }) => {
    if (amountCents > sameDayLimitCents) return 'Same-day ACH takes at most 1,000,000.00.'
    return isSameDayOpen(at) ? undefined : 'Same-day ACH is open on banking days until 15:00 in New York.'
  },
  rtp: ({ amountCents, instantReach }) => {
    if (!instantReach) return 'Instant payments reach checking and savings accounts only.'
    return amountCents > instantLimitCents ? 'An instant payment is at most 10,000,000.00.' : undefined
  }
}

/** The fastest rail that the movement allows, or the one that is wished for; then with why it cannot be, if so. */
export const chooseRail = (movement: Movement, wish?: Rail): { rail: Rail; refusal?: string } => {
  if (wish !== undefined) {
    const refusal = refusalOf[wish](movement)
    return refusal === undefined ? { rail: wish } : { rail: wish, refusal }
  }
  const fastest: Rail[] = ['rtp', 'same_day_ach', 'ach']
  return { rail: fastest.find((rail) => refusalOf[rail](movement) === undefined) ?? 'ach' }
}

/** The network of the debit: the fastest ACH that is open, unless the slow one was chosen. */
export const debitNetworkOf = (rail: Rail, movement: Movement): Network =>
  rail !== 'ach' && refusalOf.same_day_ach(movement) === undefined ? 'same-day-ach' : 'ach'

/** When the money is at its destination: the debit settles by its calendar, and the credit that follows it by its own. */
export const estimateSettlement = (rail: Rail, debitNetwork: Network, at: Date): Date =>
  settlementOf(networkOf(rail), settlementOf(debitNetwork, at))
