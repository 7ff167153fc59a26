/** Used by linking to count usage. */
export { settleTransactions } from './queries/corrections.ts'
export { recordUsage, type UsageEvent } from './queries/usage.ts'
