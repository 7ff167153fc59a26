import type { LegKind, LegStatus } from './leg-states.ts'

export type SimulatedEvent = 'pending' | 'posted' | 'settled' | 'failed' | 'returned'

/** The steps that Plaid's sandbox takes when told to. */
export type LegEvent = 'posted' | 'settled' | 'failed' | 'returned'

interface Leg {
  kind: LegKind
  status: LegStatus
}

const onwards = (status: LegStatus): LegEvent => (status === 'pending' ? 'posted' : 'settled')
const back = (status: LegStatus): LegEvent => (status === 'pending' ? 'failed' : 'returned')

const eventOf = ({ kind, status }: Leg, target: Exclude<SimulatedEvent, 'pending'>): LegEvent | undefined => {
  switch (target) {
    case 'posted':
    case 'failed':
      return kind === 'debit' && status === 'pending' ? target : undefined
    case 'settled':
      return kind === 'refund' ? undefined : onwards(status)
    case 'returned':
      return kind === 'refund' ? onwards(status) : back(status)
  }
}

/**
 * The next step on the way that brings a transfer to a state: all of its legs settle for `settled`; the one that is under way comes back for `returned`,
 * and a refund settles after a credit that did.
 *
 * @param legs in the order in which they were decided on
 */
export const nextSimulatedStep = <L extends Leg>(
  legs: L[],
  target: Exclude<SimulatedEvent, 'pending'>
): { leg: L; event: LegEvent } | 'wait' | 'impossible' => {
  const leg = legs.at(-1)
  if (leg === undefined) return 'impossible'
  if (leg.status === 'wanted') return 'wait'
  if (leg.status !== 'pending' && leg.status !== 'posted') return 'impossible'
  const event = eventOf(leg, target)
  return event === undefined ? 'impossible' : { leg, event }
}
