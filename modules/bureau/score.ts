/** The version of the formula below. Raise it with every change of a number in the formula. */
export const scoreVersion = 1

/** Everything that a score depends on besides the time since enrolment. */
export interface Counters {
  /** Payments reported on time, late and missed, and disputes. */
  onTime: number
  late: number
  missed: number
  disputes: number
  /** Open credit accounts, and reports of accounts opened elsewhere. */
  openAccounts: number
  /** The sum of the limits of the open credit accounts. */
  openLimitsCents: number
  /** The sum of all debt reported as closed. */
  debtClosedCents: number
}

export interface Factors {
  base: number
  payments: number
  accounts: number
  utilisation: number
  age: number
  late: number
  missed: number
  disputes: number
}

export type Grade = 'Very Poor' | 'Poor' | 'Fair' | 'Good' | 'Excellent'

export interface Score {
  score: number
  grade: Grade
  factors: Factors
}

const lowestScore = 300
const highestScore = 850
const startingScore = 500
const smallestLimitsCents = 500_00
const dayMs = 86_400_000

/**
 * The unrounded terms of the score, in points. Penalties are zero or negative, so that the sum of all terms is the score before it is clamped.
 * Source: the API reference, Bureau.
 */
export const factorsOf = (counters: Counters, ageDays: number): Factors => ({
  base: startingScore,
  payments: (200 * counters.onTime) / (counters.onTime + 10),
  accounts: 8 * Math.min(5, counters.openAccounts),
  utilisation: 60 * Math.min(1, counters.debtClosedCents / Math.max(smallestLimitsCents, counters.openLimitsCents)),
  age: 50 * Math.min(1, ageDays / 730),
  // Subtracted from zero, because -10 * 0 would be a negative zero.
  late: 0 - 10 * counters.late,
  missed: 0 - 30 * counters.missed,
  disputes: 0 - 15 * counters.disputes
})

/** Adds the terms in the order in which the API lists them, so that callers who add them up get the same floating-point number. */
export const sumOf = ({ base, payments, accounts, utilisation, age, late, missed, disputes }: Factors): number =>
  base + payments + accounts + utilisation + age + late + missed + disputes

export const gradeOf = (score: number): Grade => {
  if (score >= 750) return 'Excellent'
  if (score >= 670) return 'Good'
  if (score >= 580) return 'Fair'
  return score >= 500 ? 'Poor' : 'Very Poor'
}

/**
 * The score of an agent, a whole number from 300 to 850, halves rounded up.
 * @param ageDays whole days since enrolment.
 */
export const scoreOf = (counters: Counters, ageDays: number): Score => {
  const factors = factorsOf(counters, ageDays)
  const score = Math.round(Math.min(highestScore, Math.max(lowestScore, sumOf(factors))))
  return { score, grade: gradeOf(score), factors }
}

/** Whole days from enrolment until now. */
export const ageInDays = (enrolledAt: Date, now: Date): number =>
  Math.max(0, Math.floor((now.getTime() - enrolledAt.getTime()) / dayMs))
