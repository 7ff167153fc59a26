import type { Environment } from '../access/caller.ts'
import type { Config } from '../config/index.ts'
import { addressOfPlaid } from './address.ts'

/** The path at which this server receives Plaid's webhooks. */
export const webhookPath = '/v1/plaid/webhook'

/** A Plaid that this server calls. */
export interface PlaidService {
  /** The environments whose credentials reach it. */
  environments: Environment[]
  baseUrl: string
  clientId: string
  secret: string
  /** The URL to which it sends webhooks; undefined when it cannot reach this server. */
  webhookUrl: () => string | undefined
}

/** Plaid's own sandbox or production as configured; empty without Plaid keys. */
export const configuredPlaid = ({ plaid, publicUrl }: Config): PlaidService[] => {
  const { mode, clientId, secret } = plaid
  if (mode !== 'live' && mode !== 'remote_sandbox') return []
  return [
    {
      environments: mode === 'live' ? ['live'] : ['test', 'live'],
      baseUrl: addressOfPlaid(plaid),
      clientId,
      secret,
      webhookUrl: () => (publicUrl === undefined ? undefined : `${publicUrl}${webhookPath}`)
    }
  ]
}
