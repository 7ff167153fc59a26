import type { LegStatus } from './leg-states.ts'
import type { Leg } from './queries/legs.ts'

/** The steps that Plaid's sandbox can simulate. */
export type LegEvent = 'posted' | 'settled' | 'failed' | 'returned'

const forward = (status: LegStatus): LegEvent => (status === 'pending' ? 'posted' : 'settled')
const back = (status: LegStatus): LegEvent => (status === 'pending' ? 'failed' : 'returned')

const eventOf = ({ kind, status }: Leg, target: LegEvent): LegEvent | undefined => {
  switch (target) {
    case 'posted':
    case 'failed':
      return kind === 'debit' && status === 'pending' ? target : undefined
    case 'settled':
      return kind === 'refund' ? undefined : forward(status)
    case 'returned':
      return kind === 'refund' ? forward(status) : back(status)
  }
}

/**
 * The next step that brings a transfer to a state. `settled` settles all legs. `returned` returns the leg under way, and settles the refund of a returned credit.
 * @param legs oldest first
 * @returns `wait` while Plaid does not have the leg yet
 */
export const nextSimulatedStep = (
  legs: Leg[],
  target: LegEvent
): { leg: Leg; event: LegEvent } | 'wait' | 'impossible' => {
  const leg = legs.at(-1)
  if (leg === undefined) return 'impossible'
  if (leg.status === 'wanted') return 'wait'
  if (leg.status !== 'pending' && leg.status !== 'posted') return 'impossible'
  const event = eventOf(leg, target)
  return event === undefined ? 'impossible' : { leg, event }
}
