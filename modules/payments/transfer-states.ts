/** The states that partners see. */
export type TransferState = 'submitted' | 'pending' | 'posted' | 'settled' | 'failed' | 'returned' | 'cancelled'

/**
 * The steps that a transfer may take; a trigger enforces the same steps.
 * - `submitted`: Plaid has accepted the debit; it can still be cancelled.
 * - `pending`: the debit waits for its network and can no longer be cancelled.
 * - `posted`: the money is under way.
 * - `settled`: the money has arrived. A bank may still return an ACH debit, for 60 days.
 * - `failed`: no money has moved. `returned`: the money is back, or the bank returned the debit. `cancelled`: by the partner.
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
 * The shortest path from one state to another, without the first state; empty when they are equal.
 * @returns undefined when there is no path
 */
export const pathBetween = <State extends string>(
  steps: Readonly<Record<State, readonly State[]>>,
  from: State,
  to: State
): State[] | undefined => {
  const paths = new Map<State, State[]>([[from, []]])
  for (const [state, path] of paths) {
    if (state === to) return path
    for (const next of steps[state]) if (!paths.has(next)) paths.set(next, [...path, next])
  }
  return undefined
}
