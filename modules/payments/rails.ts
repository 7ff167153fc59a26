import { isSameDayOpen, type Network } from './settlement-calendar.ts'

/** A payment network. The source is always debited by ACH, because instant payments cannot be pulled. */
export type Rail = 'ach' | 'same_day_ach' | 'rtp'

/** The RTP network's limit per payment since February 2025 (The Clearing House). */
export const instantLimitCents = 10_000_000_00
/** Nacha's limit per same-day entry. */
export const sameDayLimitCents = 1_000_000_00

export const networkOf = (rail: Rail): Network => (rail === 'same_day_ach' ? 'same-day-ach' : rail)
export const railOf = (network: Network): Rail => (network === 'same-day-ach' ? 'same_day_ach' : network)

const fastestFirst: readonly Rail[] = ['rtp', 'same_day_ach', 'ach']

/** The slowest of several rails. */
export const slowestOf = (rails: readonly Rail[]): Rail =>
  fastestFirst.findLast((rail) => rails.includes(rail)) ?? 'ach'

export interface Movement {
  amountCents: number
  at: Date
  /** Whether instant payments reach both accounts. */
  instantReach: boolean
}

const refusalOf: Readonly<Record<Rail, (movement: Movement) => string | undefined>> = {
  ach: () => undefined,
  same_day_ach: ({ amountCents, at }) => {
    if (amountCents > sameDayLimitCents) return 'Same-day ACH is limited to 1,000,000.00 per payment.'
    return isSameDayOpen(at) ? undefined : 'Same-day ACH is open on banking days until 15:00 New York time.'
  },
  rtp: ({ amountCents, instantReach }) => {
    if (!instantReach) return 'Instant payments reach only checking and savings accounts.'
    return amountCents > instantLimitCents ? 'Instant payments are limited to 10,000,000.00 per payment.' : undefined
  }
}

/** The rail that pays the destination: the requested one, with the reason if it is unavailable; without a request the fastest available one. */
export const chooseRail = (movement: Movement, requested?: Rail): { rail: Rail; refusal?: string } => {
  if (requested !== undefined) {
    const refusal = refusalOf[requested](movement)
    return refusal === undefined ? { rail: requested } : { rail: requested, refusal }
  }
  return { rail: fastestFirst.find((rail) => refusalOf[rail](movement) === undefined) ?? 'ach' }
}

/** The network of the debit: same-day ACH where it is open, unless the slow rail was chosen. */
export const debitNetworkOf = (rail: Rail, movement: Movement): Network =>
  rail !== 'ach' && refusalOf.same_day_ach(movement) === undefined ? 'same-day-ach' : 'ach'
