import { sql } from 'kysely'
import type { Db, Trx } from '../../../plugins/database/types.ts'

/** Whether an operator has appointed the partner as a furnisher. */
export const isAppointed = async (db: Db, partnerId: string): Promise<boolean> =>
  (await db.selectFrom('partners').select('furnisher').where('id', '=', partnerId).executeTakeFirst())?.furnisher ===
  true

/**
 * Until the transaction ends, the agent gets no owner; takes turns with `lockForOwner`. An advisory lock, because neither the agent nor its enrolment need exist yet.
 */
export const lockForReport = async (trx: Trx, agentId: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock_shared(hashtextextended(${`furnishers of ${agentId}`}, 0))`.execute(trx)
}

/** Waits for reports on the agent that have begun; further ones wait until the transaction ends. */
export const lockForOwner = async (trx: Trx, agentId: string): Promise<void> => {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`furnishers of ${agentId}`}, 0))`.execute(trx)
}
