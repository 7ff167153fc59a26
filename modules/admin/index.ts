/** Used by `npm run operator`. */
export { setOperator } from './queries.ts'
