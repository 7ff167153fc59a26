import fc from 'fast-check'
import { reportTypes } from '../../../modules/bureau/history.ts'

export const signUps = 3
export const farmedAgents = 4
export const victims = 2

export type Step =
  | { do: 'register' | 'enrol' | 'praise'; agent: number }
  | { do: 'register own' | 'claim' | 'claim with key'; agent: number; by: number }
  | { do: 'report' | 'open account' | 'slander'; agent: number; by: number; kind: string; amount: number; with: number }
  | { do: 'close account' | 'dispute' | 'confirm'; at: number; by: number }
  | { do: 'borrow' | 'repay'; agent: number; amount: number }
  | { do: 'turn the clock'; days: number }

const agent = fc.nat({ max: farmedAgents - 1 })
const by = fc.nat({ max: signUps - 1 })
const amount = fc.integer({ min: 1, max: 300 })
const at = fc.nat({ max: 30 })
const step = <Do extends string, Rest>(names: readonly Do[], rest: { [Key in keyof Rest]: fc.Arbitrary<Rest[Key]> }) =>
  fc.record({ do: fc.constantFrom(...names), ...rest }) as fc.Arbitrary<{ do: Do } & Rest>

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: step(['register', 'enrol', 'enrol', 'praise', 'praise'], { agent }) },
  { weight: 3, arbitrary: step(['register own', 'claim', 'claim with key', 'claim with key'], { agent, by }) },
  {
    weight: 5,
    arbitrary: step(['report', 'report', 'open account', 'slander'], {
      agent,
      by,
      kind: fc.constantFrom(...reportTypes),
      amount,
      with: fc.nat({ max: 3 })
    })
  },
  { weight: 3, arbitrary: step(['close account', 'dispute', 'confirm'], { at, by }) },
  { weight: 5, arbitrary: step(['borrow', 'borrow', 'repay'], { agent, amount }) },
  { weight: 1, arbitrary: step(['turn the clock'], { days: fc.constantFrom(1, 30, 61) }) }
)

/** A beginning that puts loans, limits, claims and disputes within reach. */
export const beginning: Step[] = [
  ...[0, 2].map((unowned): Step => ({ do: 'register', agent: unowned })),
  { do: 'register own', agent: 1, by: 0 },
  ...[0, 1, 2].flatMap((each): Step[] => [
    { do: 'enrol', agent: each },
    { do: 'praise', agent: each }
  ]),
  { do: 'borrow', agent: 0, amount: 200 },
  { do: 'borrow', agent: 2, amount: 200 },
  // After six reports on victims and four on the first agent.
  { do: 'dispute', at: 10, by: 0 },
  { do: 'report', agent: 0, by: 1, kind: 'payment_ontime', amount: 100, with: 2 },
  { do: 'claim with key', agent: 0, by: 0 }
]
