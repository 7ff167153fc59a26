import type { SeededRandom } from '../../scripts/seeded-random.ts'
import type { Cleaner } from '../build-app.ts'

/** The environment of a scenario. It registers everything that it starts with `after`; the last one started stops first. */
export interface ScenarioContext extends Cleaner {
  random: SeededRandom
  /** Adds a line to the report. */
  note(text: string): void
}

/** One kind of fault, and the guarantees during and after it. `run` throws when a guarantee is broken. */
export interface Scenario {
  name: string
  /** Describes the fault in a sentence. */
  fault: string
  run(context: ScenarioContext): Promise<void>
}

/** Thrown by a scenario that cannot run on this machine, with the reason. */
export class Skipped extends Error {}
