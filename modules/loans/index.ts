export { assignLoan } from './queries.ts'
