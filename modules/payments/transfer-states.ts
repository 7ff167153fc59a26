/** What a partner sees of a transfer. */
export type TransferState = 'submitted' | 'pending' | 'posted' | 'settled' | 'failed' | 'returned' | 'cancelled'

/**
 * The steps that a transfer may take; the database enforces the same ones.
 * - `submitted`: Plaid has taken the debit; it can still be cancelled.
 * - `pending`: the debit waits for its network and cannot be cancelled any more.
 * - `posted`: the money is under way, until the whole movement is done.
 * - `settled`: the money is at its destination. A bank may take back an ACH payment even then, for 60 days.
 * - `failed`: no money has moved. `returned`: it is back, or the debit was taken back. `cancelled`: by the partner.
 */
export const transferSteps: Readonly<Record<TransferState, readonly TransferState[]>> = {
  submitted: ['pending', 'failed', 'cancelled'],
  pending: ['posted', 'failed'],
  posted: ['settled', 'returned'],
  settled: ['returned'],
  failed: [],
  returned: [],
  cancelled: []
}

export const isLegalStep = (from: TransferState, to: TransferState): boolean => transferSteps[from].includes(to)

/**
 * The shortest way from one state to another, each state that it passes through and the last one; empty when they are the same.
 * @returns undefined when no way leads there
 */
export const wayBetween = <State extends string>(
  steps: Readonly<Record<State, readonly State[]>>,
  from: State,
  to: State
): State[] | undefined => {
  const ways = new Map<State, State[]>([[from, []]])
  for (const [state, way] of ways) {
    if (state === to) return way
    for (const next of steps[state]) if (!ways.has(next)) ways.set(next, [...way, next])
  }
  return undefined
}
