import type { Behaviour } from '../behaviours/behaviour.ts'
import { createSeededRandom } from '../random.ts'
import { dayMs, dayOf, isoDate } from './days.ts'
import { livesOfBatch, livesOfDay } from './generator.ts'
import { changesOf, versionKey } from './life.ts'
import type { Change, Life, Version } from './life.ts'
import { profileOf } from './profile.ts'
import type { Profile } from './profile.ts'
import { renderTransaction } from './render.ts'
import type { WireTransaction } from './render.ts'

/** The longest history: 24 months, the maximum of Plaid's `days_requested`. */
export const historyDays = 730

/** Days generated ahead at once, so that a poll rarely has to extend the timeline. */
const aheadDays = 31

/** A position in an item's feed: everything visible at `at` (milliseconds), and the first `batches` batches. */
export interface Position {
  at: number
  batches: number
}

export const beginning: Position = { at: Number.NEGATIVE_INFINITY, batches: 0 }

/** The index of the first change after `at`, in a list that is sorted by time. */
const firstAfter = (changes: readonly Change[], at: number): number => {
  let low = 0
  let high = changes.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((changes[middle]?.at ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low
}

const byTime = (a: Change, b: Change) => a.at - b.at

/**
 * The feed of one item: the changes of its transactions, in the order in which they become visible. It is a pure function of
 * seed and link time, and an object only because computing it takes milliseconds.
 */
export class Timeline {
  readonly profile: Profile
  readonly #seed: string
  readonly #linkedAt: number
  readonly #behaviours: readonly Behaviour[]
  readonly #changes: Change[] = []
  readonly #batches: Change[][] = []
  #nextDay: number

  constructor(seed: string, linkedAt: number, days: number, behaviours: readonly Behaviour[] = []) {
    this.#seed = seed
    this.#linkedAt = linkedAt
    this.#behaviours = behaviours
    this.profile = profileOf(seed)
    this.#nextDay = dayOf(linkedAt) - days
  }

  get batchCount(): number {
    return this.#batches.length
  }

  /** Adds a batch. Batches must come in order; adding one again has no effect. */
  addBatch(ordinal: number, firedAt: number): void {
    if (ordinal <= this.#batches.length) return
    if (ordinal !== this.#batches.length + 1)
      throw new Error(`batch ${ordinal} came before batch ${this.#batches.length + 1}`)
    const lives = livesOfBatch(this.#seed, this.profile, ordinal, firedAt)
    this.#batches.push(lives.flatMap((life) => changesOf(life, this.#linkedAt, true)).sort(byTime))
  }

  #extend(now: number): void {
    if (dayOf(now) < this.#nextDay) return
    for (const end = dayOf(now) + aheadDays; this.#nextDay <= end; this.#nextDay++) {
      for (const life of this.#livesOf(this.#nextDay)) this.#changes.push(...this.#visibleChangesOf(life))
    }
    this.#changes.sort(byTime)
  }

  /** The payments that begin on a day, as the bank's behaviours have them. */
  #livesOf(day: number): Life[] {
    const lives = [
      ...livesOfDay(this.#seed, this.profile, day),
      ...this.#behaviours.flatMap((behaviour) => behaviour.lives?.(this.#seed, day) ?? [])
    ]
    return lives.map((life) =>
      this.#behaviours.reduce(
        (changed, behaviour) =>
          behaviour.life?.(changed, createSeededRandom(`${this.#seed}|${behaviour.name}|${life.key}`)) ?? changed,
        life
      )
    )
  }

  #visibleChangesOf(life: Life): Change[] {
    const earliest = Math.max(
      ...this.#behaviours.map((behaviour) => behaviour.visibleFrom?.(life, this.#linkedAt) ?? Number.NEGATIVE_INFINITY)
    )
    return changesOf(life, this.#linkedAt).map((change) => ({ ...change, at: Math.max(change.at, earliest) }))
  }

  /** The position of the last change visible at `now`, so that an idle hour does not move it. Never before `floor`. */
  position(now: number, floor: Position = beginning): Position {
    this.#extend(now)
    let at = this.#changes[firstAfter(this.#changes, now) - 1]?.at ?? this.#linkedAt
    for (const batch of this.#batches) at = Math.max(at, batch[firstAfter(batch, now) - 1]?.at ?? at)
    return { at: Math.max(at, floor.at), batches: Math.max(this.#batches.length, floor.batches) }
  }

  /** The net change of each transaction between two positions: one that came and went in between is left out. */
  difference(from: Position, to: Position): Difference {
    this.#extend(to.at)
    const net = new Map<string, { existed: boolean; last: Change }>()
    const fold = (changes: readonly Change[], after: number) => {
      for (let i = firstAfter(changes, after), end = firstAfter(changes, to.at); i < end; i++) {
        const change = changes[i] as Change
        const key = versionKey(change.version)
        net.set(key, { existed: net.get(key)?.existed ?? change.kind !== 'added', last: change })
      }
    }
    fold(this.#changes, from.at)
    this.#batches
      .slice(0, to.batches)
      .forEach((batch, index) => fold(batch, index < from.batches ? from.at : Number.NEGATIVE_INFINITY))
    return sortDifference([...net.values()])
  }
}

/** The transactions that a client has to add, replace and delete, each oldest first. */
export interface Difference {
  added: Version[]
  modified: Version[]
  removed: Version[]
}

const sortDifference = (net: { existed: boolean; last: Change }[]): Difference => {
  const shownAt = ({ life, stage }: Version) =>
    stage === 'posted' && life.postedAt !== null ? life.postedAt : life.authorizedAt
  const oldestFirst = (a: Version, b: Version) => shownAt(a) - shownAt(b)
  const difference: Difference = { added: [], modified: [], removed: [] }
  for (const { existed, last } of net) {
    if (last.kind === 'removed') {
      if (existed) difference.removed.push(last.version)
    } else {
      difference[existed ? 'modified' : 'added'].push(last.version)
    }
  }
  difference.added.sort(oldestFirst)
  difference.modified.sort(oldestFirst)
  difference.removed.sort(oldestFirst)
  return difference
}

/**
 * One item's posted transactions dated in [from, to], both `YYYY-MM-DD`, oldest first, with all later corrections applied.
 * Pure, for benchmarks; at most 24 months.
 */
export const historyBetween = (seed: string, from: string, to: string): WireTransaction[] => {
  const timeline = new Timeline(
    seed,
    Date.parse(to),
    Math.min(historyDays, dayOf(Date.parse(to)) - dayOf(Date.parse(from)) + 7)
  )
  const context = {
    itemId: seed,
    town: timeline.profile.town,
    currencyOf: () => 'USD',
    includeOriginalDescription: false
  }
  const end = Date.parse(to) + 10 * dayMs
  return timeline
    .difference(beginning, { at: end, batches: 0 })
    .added.filter(
      ({ stage, life }) =>
        stage === 'posted' && life.postedAt !== null && isoDate(life.postedAt) >= from && isoDate(life.postedAt) <= to
    )
    .map((version) => ({ ...renderTransaction(version, context), pending_transaction_id: null }))
}
