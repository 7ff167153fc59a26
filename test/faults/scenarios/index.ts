import type { Scenario } from '../scenario.ts'
import { clockJumps } from './clock-jumps.ts'
import { flappingDatabase } from './flapping-database.ts'
import { fullDisk } from './full-disk.ts'
import { killDatabase } from './kill-database.ts'
import { killServer } from './kill-server.ts'
import { plaidGone } from './plaid-gone.ts'
import { racingInstances } from './racing-instances.ts'
import { redisGone } from './redis-gone.ts'
import { slowDatabase } from './slow-database.ts'
import { stripeGone } from './stripe-gone.ts'

export const scenarios: Scenario[] = [
  killServer,
  killDatabase,
  fullDisk,
  slowDatabase,
  flappingDatabase,
  redisGone,
  plaidGone,
  stripeGone,
  clockJumps,
  racingInstances
]
