import type { Db } from '../database/types.ts'

/** The partners of which a user is a member. */
export const listPartnersOf = async (db: Db, userId: string): Promise<string[]> => {
  const rows = await db.selectFrom('memberships').select('partner_id').where('user_id', '=', userId).execute()
  return rows.map((row) => row.partner_id)
}
