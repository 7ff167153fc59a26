/** An amount that is due in a number of days; 0 is today. */
export interface DueAmount {
  amountCents: number
  dueInDays: number
}

/** What an end-user has and must pay, in integer cents. */
export interface SafeToSpendInput {
  /** Negative for an overdrawn account. */
  cashBalanceCents: number
  /** What must stay in the account. */
  cashBufferCents: number
  bills: DueAmount[]
  income: DueAmount[]
  savingsCents: number
  debtCents: number
  /** 1 or more. */
  daysInPeriod: number
}

/** What a calculation comes to, in integer cents, without what follows from it. */
export interface SafeToSpend {
  daysInPeriod: number
  cashAfterBufferCents: number
  /** Only the bills that are due within the period. */
  billsCents: number
  savingsCents: number
  debtCents: number
  /** The same amount every day of the period; never negative. */
  dailyAllowanceCents: number
}

const sum = (amounts: DueAmount[]): number => amounts.reduce((total, { amountCents }) => total + amountCents, 0)

/** What is left for the whole period when all its commitments are met; negative when they cannot be. Income to come is not in it. */
export const discretionaryPoolCents = ({
  cashAfterBufferCents,
  billsCents,
  savingsCents,
  debtCents
}: Omit<SafeToSpend, 'dailyAllowanceCents'>): number => cashAfterBufferCents - billsCents - savingsCents - debtCents

/**
 * What remains for spending until the end of each day of the period, the first day first. A bill reduces it from the day on which it is due, one that is due
 * today from the first day; income adds to it from the day after it is due, because money that may come in the evening cannot be spent in the morning.
 */
const spendableByDay = (input: SafeToSpendInput): number[] => {
  const { daysInPeriod, bills, income, cashBalanceCents, cashBufferCents, savingsCents, debtCents } = input
  const changes = Array.from({ length: daysInPeriod + 1 }, () => 0)
  const change = (day: number, cents: number): void => {
    if (day <= daysInPeriod) changes[day] = (changes[day] ?? 0) + cents
  }
  for (const { dueInDays, amountCents } of bills) change(Math.max(dueInDays, 1), -amountCents)
  for (const { dueInDays, amountCents } of income) change(dueInDays + 1, amountCents)
  let spendable = cashBalanceCents - cashBufferCents - savingsCents - debtCents
  return changes.slice(1).map((cents) => (spendable += cents))
}

/**
 * Calculates how much an end-user can spend every day of a period and still meet every commitment on its day.
 *
 * The daily allowance is the largest whole number of cents a for which k·a is at most what remains until day k, for every day k of the period: the least of
 * remains/k, rounded down. Without income that is the pool divided by the days. A negative pool allows nothing, whatever income is expected.
 *
 * @returns amounts in cents; every amount of the input must be an integer, and their sum a safe one.
 */
export const calculateSafeToSpend = (input: SafeToSpendInput): SafeToSpend => {
  const { daysInPeriod, savingsCents, debtCents } = input
  const result = {
    daysInPeriod,
    cashAfterBufferCents: input.cashBalanceCents - input.cashBufferCents,
    billsCents: sum(input.bills.filter(({ dueInDays }) => dueInDays <= daysInPeriod)),
    savingsCents,
    debtCents
  }
  if (discretionaryPoolCents(result) < 0) return { ...result, dailyAllowanceCents: 0 }
  const perDay = spendableByDay(input).map((cents, index) => (cents - (cents % (index + 1))) / (index + 1))
  return { ...result, dailyAllowanceCents: Math.min(...perDay) }
}
