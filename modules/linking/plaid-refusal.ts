import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import { plaidRefused } from './errors.ts'

/** Errors of this server's Plaid account, which callers cannot fix. */
const serverErrors = new Set([
  'INVALID_API_KEYS',
  'UNAUTHORIZED_ENVIRONMENT',
  'INVALID_PRODUCT',
  'INVALID_ACCESS_TOKEN'
])

/** Makes a Plaid call with the caller's input, and turns Plaid's rejection of that input into a 400. */
export const orPlaidRefused = async <Response>(call: () => Promise<Response>): Promise<Response> => {
  try {
    return await call()
  } catch (error) {
    if (!isPlaidFailure(error) || serverErrors.has(error.errorCode)) throw error
    throw plaidRefused(error.errorCode, error.members)
  }
}
