/** An amount that is due in a number of days; 0 means today. */
export interface DueAmount {
  amountCents: number
  dueInDays: number
}

/** The balance and commitments of an end-user, in integer cents. */
export interface SafeToSpendInput {
  /** Negative for an overdrawn account. */
  cashBalanceCents: number
  /** The amount that must stay in the account. */
  cashBufferCents: number
  bills: DueAmount[]
  income: DueAmount[]
  savingsCents: number
  debtCents: number
  /** 1 or more. */
  daysInPeriod: number
}

/** The result of a calculation, in integer cents, without derived amounts. */
export interface SafeToSpend {
  daysInPeriod: number
  cashAfterBufferCents: number
  /** The sum of the bills that are due within the period. */
  billsCents: number
  savingsCents: number
  debtCents: number
  /** Applies to every day of the period; never negative. */
  dailyAllowanceCents: number
}

const sum = (amounts: DueAmount[]): number => amounts.reduce((total, { amountCents }) => total + amountCents, 0)

/** The amount that remains for the period after all commitments; negative when they exceed the balance. Excludes upcoming income. */
export const discretionaryPoolCents = ({
  cashAfterBufferCents,
  billsCents,
  savingsCents,
  debtCents
}: Omit<SafeToSpend, 'dailyAllowanceCents'>): number => cashAfterBufferCents - billsCents - savingsCents - debtCents

/**
 * The cumulative amount that can be spent by the end of each day, first day first. A bill counts from its due day (a bill due today
 * from the first day). Income counts from the day after its due day, because it may arrive in the evening.
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
 * Calculates how much an end-user can spend on every day of a period and still pay every commitment on time.
 *
 * The daily allowance is the largest whole number of cents `a` such that `k · a` never exceeds the spendable amount by day `k`:
 * the minimum of `spendable[k] / k`, rounded down. Without income this is the pool divided by the days. A negative pool allows
 * nothing, regardless of expected income.
 *
 * @param input integer cents whose sum must be a safe integer.
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
