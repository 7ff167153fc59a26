import type { Check } from './check.ts'
import { idempotency, rateLimits, revocation, sessions, spends, webhooks } from './across.ts'
import { rollingRestart } from './rolling-restart.ts'
import { walk } from './walk.ts'

const everything: Check = {
  guarantee: 'after all checks the ledger, every effect, the counters and the events are consistent',
  run: (fleet) => fleet.verify()
}

export const checksOf = (random: () => number): Check[] => [
  walk,
  revocation,
  sessions,
  rateLimits,
  idempotency,
  spends,
  webhooks,
  rollingRestart(random),
  everything
]
