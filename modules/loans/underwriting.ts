/** A score of at least the minimum allows loans of up to the limit. */
export interface Band {
  minimumScore: number
  limitCents: number
}

/** Source: the API reference, Loans. */
export const bands: readonly Band[] = [
  { minimumScore: 550, limitCents: 200_00 },
  { minimumScore: 600, limitCents: 500_00 },
  { minimumScore: 650, limitCents: 1_000_00 },
  { minimumScore: 700, limitCents: 2_500_00 },
  { minimumScore: 750, limitCents: 5_000_00 }
]

export const minimumScore = 550

/** The most that an agent with this score can borrow, in hundredths of a credit; 0 below the lowest band. */
export const limitFor = (score: number): number => bands.findLast((band) => score >= band.minimumScore)?.limitCents ?? 0

/** The next higher band; undefined in the highest. */
export const nextBand = (score: number): Band | undefined => bands.find((band) => score < band.minimumScore)

export type Decision = { approved: true; amountCents: number; limitCents: number } | { approved: false; nextBand: Band }

/** Rejects a request below the lowest band; otherwise approves it up to the band's limit. */
export const underwrite = (score: number, requestedCents: number): Decision => {
  const limitCents = limitFor(score)
  const next = nextBand(score)
  if (limitCents === 0 && next !== undefined) return { approved: false, nextBand: next }
  return { approved: true, amountCents: Math.min(requestedCents, limitCents), limitCents }
}
