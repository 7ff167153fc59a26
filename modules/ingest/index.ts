/** Used by linking to count usage. */
export { recordUsage, type UsageEvent } from './queries.ts'
