import { PlaidEnvironments } from 'plaid'
import type { PlaidConfig } from '../config/index.ts'

/** Where Plaid's own service is asked: its sandbox or its production, unless the operator leads elsewhere. */
export const addressOfPlaid = ({ mode, baseUrl }: PlaidConfig): string =>
  baseUrl ?? (PlaidEnvironments[mode === 'live' ? 'production' : 'sandbox'] as string)
