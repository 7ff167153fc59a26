import type { Fleet } from './fleet.ts'

/** Something that must hold of several instances as of one server. Answers what was seen, with numbers; throws when it does not hold. */
export interface Check {
  guarantee: string
  run(fleet: Fleet): Promise<string>
}
