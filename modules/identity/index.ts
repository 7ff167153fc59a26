/** Used by the server and `npm run quickstart`. */
export { ensureDemoPartner, type Demo } from './demo.ts'
