import { sql } from 'kysely'
import { credentialColumns, type Credential } from '../../../plugins/access/credentials.ts'
import type { Db } from '../../../plugins/database/types.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'

/** Lists up to `limit` active credentials of one kind, newest first. */
export const listCredentials = async (
  db: Db,
  partnerId: string,
  kind: 'partner_key' | 'token',
  after: TimePosition | undefined,
  limit: number
): Promise<Credential[]> => {
  const query = db
    .selectFrom('credentials')
    .select(credentialColumns)
    .where('partner_id', '=', partnerId)
    .where('kind', '=', kind)
    .where('revoked_at', 'is', null)
  return await (after === undefined ? query : query.where(sql<boolean>`(created_at, id) < (${after.at}, ${after.id})`))
    .orderBy('created_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .execute()
}
