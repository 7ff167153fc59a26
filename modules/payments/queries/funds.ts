import type { Trx } from '../../../plugins/database/types.ts'

/** Releases a transfer's hold once the bank's own balance tells of its debit; at a transfer's end the database does it. */
export const releaseHold = async (trx: Trx, transferId: string, now: Date): Promise<void> => {
  await trx
    .updateTable('transfer_holds')
    .set({ released_at: now })
    .where('transfer_id', '=', transferId)
    .where('released_at', 'is', null)
    .execute()
}
