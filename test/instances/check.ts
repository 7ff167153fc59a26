import type { Fleet } from './fleet.ts'

/** A guarantee that several instances must keep as one server does. Returns a summary with numbers; throws when it is broken. */
export interface Check {
  guarantee: string
  run(fleet: Fleet): Promise<string>
}
