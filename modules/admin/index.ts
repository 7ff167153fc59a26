/** Used by `npm run operator`. */
export { findUser, markEmailVerified, setOperator } from './queries.ts'
