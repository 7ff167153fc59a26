import type { Trx } from '../../../plugins/database/types.ts'

/** Locks what is known of an account's funds, so that of parallel transfers each sees what the others hold. @returns the sum of the active holds, in cents */
export const lockFunds = async (trx: Trx, accountId: string): Promise<number> => {
  await trx
    .insertInto('account_funds')
    .values({ account_id: accountId, held_cents: 0 })
    .onConflict((conflict) => conflict.column('account_id').doNothing())
    .execute()
  const { held_cents } = await trx.selectFrom('account_funds').select('held_cents').where('account_id', '=', accountId).forUpdate().executeTakeFirstOrThrow()
  return held_cents
}

export interface NewHold {
  transferId: string
  accountId: string
  amountCents: number
  availableCents: number | null
}

/** Holds funds for a transfer; the database adds them up and refuses more than is available. */
export const insertHold = async (trx: Trx, { transferId, accountId, amountCents, availableCents }: NewHold, now: Date): Promise<void> => {
  await trx
    .insertInto('transfer_holds')
    .values({ transfer_id: transferId, account_id: accountId, amount_cents: amountCents, available_cents: availableCents, created_at: now, released_at: null })
    .execute()
}

/** Releases a transfer's hold once the bank's own balance tells of its debit; at a transfer's end the database does it. */
export const releaseHold = async (trx: Trx, transferId: string, now: Date): Promise<void> => {
  await trx.updateTable('transfer_holds').set({ released_at: now }).where('transfer_id', '=', transferId).where('released_at', 'is', null).execute()
}
