import { credentialColumns, type Credential } from '../../../plugins/access/credentials.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'

/** Selects the active credentials of one kind: neither revoked nor expired. */
export const selectCredentials = (db: Db, partnerId: string, kind: 'partner_key' | 'token', now: Date) =>
  db
    .selectFrom('credentials')
    .select(credentialColumns)
    .where('partner_id', '=', partnerId)
    .where('kind', '=', kind)
    .where('revoked_at', 'is', null)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))

/** Lists up to `limit` active credentials of one kind, newest first. */
export const listCredentials = async (
  db: Db,
  partnerId: string,
  kind: 'partner_key' | 'token',
  now: Date,
  after: TimePosition | undefined,
  limit: number
): Promise<Credential[]> => await selectCredentials(db, partnerId, kind, now).$call(newestFirst(after, limit)).execute()
