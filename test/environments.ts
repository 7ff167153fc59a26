import { randomBytes } from 'node:crypto'
import { mintCredential } from '../plugins/access/credentials.ts'
import type { Environment } from '../plugins/access/caller.ts'
import { transact } from '../plugins/database/transaction.ts'
import type { TestApp } from './build-app.ts'
import { register } from './modules/identity/client.ts'

export interface PartnerOfBoth {
  partnerId: string
  userId: string
  /** The access token of its user. */
  session: string
  keys: Record<Environment, string>
}

/** A new, empty partner in production with a signed-in user and a key of each environment. */
export const createPartnerOfBoth = async ({
  url,
  database: { db },
  clock
}: Pick<TestApp, 'url' | 'database' | 'clock'>): Promise<PartnerOfBoth> => {
  const { jwt, partnerId, userId } = await register(url, `owner-${randomBytes(6).toString('hex')}@example.test`)
  await db.updateTable('partners').set({ production_enabled: true }).where('id', '=', partnerId).execute()
  const mint = async (environment: Environment): Promise<string> => {
    const key = { kind: 'partner_key' as const, partnerId, environment, name: 'A key', now: clock.now() }
    return (await transact(db, (trx) => mintCredential(trx, key))).secret
  }
  return { partnerId, userId, session: jwt, keys: { test: await mint('test'), live: await mint('live') } }
}
