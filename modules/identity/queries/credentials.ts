import { selectCredentials, type Credential } from '../../../plugins/access/credentials.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'

/** Lists up to `limit` active credentials of one kind, newest first. */
export const listCredentials = async (
  db: Db,
  partnerId: string,
  kind: 'partner_key' | 'token',
  now: Date,
  after: TimePosition | undefined,
  limit: number
): Promise<Credential[]> => await selectCredentials(db, partnerId, kind, now).$call(newestFirst(after, limit)).execute()
