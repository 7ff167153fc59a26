/** What the server and other domains may use of identity. */
export { ensureDemoPartner, type Demo } from './demo.ts'
