import type { SeededRandom } from '../../scripts/seeded-random.ts'
import type { Cleaner } from '../build-app.ts'

/** What a scenario is given. What it starts it hands to `after`; the last thing started ends first. */
export interface Stage extends Cleaner {
  random: SeededRandom
  /** Tells what happened, for the report. */
  note(text: string): void
}

/** One kind of trouble, and what has to hold during and after it. `run` throws when something does not hold. */
export interface Scenario {
  name: string
  /** The trouble, in a sentence. */
  trouble: string
  run(stage: Stage): Promise<void>
}

/** Thrown by a scenario that this machine cannot play, with the reason. */
export class Skipped extends Error {}
