/**
 * Whether an event of the history counts.
 * - `counted`: as reported.
 * - `disputed`: by the agent's owner; does not count unless its furnisher confirms it.
 * - `confirmed`: by its furnisher after a dispute; counts, and cannot be disputed again.
 * - `dropped`: not confirmed in time.
 * - `own_agent`: its furnisher came to own the agent.
 */
export type EventState = 'counted' | 'disputed' | 'confirmed' | 'dropped' | 'own_agent'

/** The steps that an event may take; a trigger enforces the same steps. */
export const eventSteps: Readonly<Record<EventState, readonly EventState[]>> = {
  counted: ['disputed', 'own_agent'],
  disputed: ['confirmed', 'dropped', 'own_agent'],
  confirmed: ['own_agent'],
  dropped: ['own_agent'],
  own_agent: []
}

export type Exclusion = Exclude<EventState, 'counted' | 'confirmed'>

/** Why an event does not count; null when it counts. */
export const exclusionOf = (state: EventState): Exclusion | null =>
  state === 'counted' || state === 'confirmed' ? null : state

const dayMs = 86_400_000
export const confirmWithinMs = 30 * dayMs

/** Until when the furnisher can confirm a disputed report; from then on it is dropped. */
export const confirmBy = (disputedAt: Date): Date => new Date(disputedAt.getTime() + confirmWithinMs)
