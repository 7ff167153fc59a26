import { PlaidEnvironments } from 'plaid'
import type { PlaidConfig } from '../config/index.ts'

/** The base URL of Plaid's own service: the operator's PLAID_BASE_URL, else Plaid's sandbox or production. */
export const addressOfPlaid = ({ mode, baseUrl }: PlaidConfig): string =>
  baseUrl ?? (PlaidEnvironments[mode === 'live' ? 'production' : 'sandbox'] as string)
