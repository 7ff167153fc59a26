/** What other domains may use of usage. */
export { recordUsage, type UsageEvent } from './queries.ts'
