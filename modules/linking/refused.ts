import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import { plaidRefused } from './errors.ts'

/** Faults of this server's own account at Plaid, which no caller can do anything about. */
const ofThisServer = new Set([
  'INVALID_API_KEYS',
  'UNAUTHORIZED_ENVIRONMENT',
  'INVALID_PRODUCT',
  'INVALID_ACCESS_TOKEN'
])

/** Runs a call that passes the caller's own words on to Plaid: what Plaid does not like in them is the caller's 400. */
export const refusedByPlaid = async <Answer>(call: () => Promise<Answer>): Promise<Answer> => {
  try {
    return await call()
  } catch (error) {
    if (!isPlaidFailure(error) || ofThisServer.has(error.errorCode)) throw error
    throw plaidRefused(`Plaid refused this with ${error.errorCode}.`, error.members)
  }
}
