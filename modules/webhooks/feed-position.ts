import type { Environment } from '../../plugins/access/caller.ts'

/**
 * A position in the event feed. Each environment has its own sequence. A feed of both orders events by sequence, and of two with the same sequence the live one
 * comes first; `41.live` is the position between the two.
 */
export interface FeedPosition {
  sequence: number
  /** Whether the test event with this sequence is still to come. */
  isBetween: boolean
}

/** Reads a position, such as `41` or `41.live`. */
export const readFeedPosition = (text: string): FeedPosition => ({
  sequence: Number(text.replace('.live', '')),
  isBetween: text.endsWith('.live')
})

/** The sequence after which the events of one environment follow a position. */
export const sequenceBefore = ({ sequence, isBetween }: FeedPosition, environment: Environment): number =>
  isBetween && environment === 'test' ? sequence - 1 : sequence

interface Placed {
  sequence: number
  environment: Environment
}

/** Orders a feed of both environments. */
export const compareInFeed = (one: Placed, other: Placed): number =>
  one.sequence - other.sequence || (one.environment < other.environment ? -1 : 1)

/** The position after an event in a feed of these environments. */
export const feedPositionAfter = ({ sequence, environment }: Placed, environments: readonly Environment[]): string =>
  environments.length > 1 && environment === 'live' ? `${sequence}.live` : String(sequence)
