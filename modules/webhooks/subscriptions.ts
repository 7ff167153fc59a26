/** The subscribed types and groups of an endpoint, each with the position of the last event before the subscription. */
export type Subscriptions = Readonly<Record<string, number>>

/** Whether a type is covered by a type, a group or `*`. */
export const isCovered = (type: string, by: string): boolean =>
  by === '*' || by === type || (by.endsWith('.*') && type.startsWith(by.slice(0, -1)))

/** Subscribes to events after `lastPosition` only. */
export const subscribe = (events: readonly string[], lastPosition: number): Subscriptions =>
  Object.fromEntries(events.map((event) => [event, lastPosition]))

/**
 * Changes what an endpoint is subscribed to. What it was subscribed to before and still is goes on without a gap, also when a group replaces its types or the other way
 * round, so a type that a subscribed group covers is kept with its own position. New types begin after `lastPosition`.
 */
export const changeSubscriptions = (
  current: Subscriptions,
  events: readonly string[],
  lastPosition: number
): Subscriptions => {
  const before = Object.entries(current)
  const kept = before.filter(([type]) => events.some((event) => isCovered(type, event)))
  const wanted = events.map((event) => {
    const positions = before.filter(([type]) => isCovered(event, type)).map(([, position]) => position)
    return [event, Math.min(lastPosition, ...positions)] as const
  })
  return Object.fromEntries([...kept, ...wanted])
}
