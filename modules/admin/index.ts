/** What scripts may use of administration. */
export { setOperator } from './queries.ts'
