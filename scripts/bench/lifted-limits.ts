import { rateLimits } from '../../spec/generated/index.ts'

/** Rate limits that no measurement reaches. */
export const liftedLimits = Object.fromEntries(
  Object.keys(rateLimits).map((name) => [name, { limit: 100_000_000, windowSeconds: 1 }])
) as unknown as typeof rateLimits
