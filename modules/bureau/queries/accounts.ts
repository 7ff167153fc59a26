import { toRow, type FieldsOf } from '../../../plugins/database/rows.ts'
import type { Trx } from '../../../plugins/database/types.ts'
import '../tables.ts'

export type NewAccount = Omit<FieldsOf<'bureau_accounts'>, 'id' | 'openedAt' | 'closedAt' | 'isExcluded'>

/** Opens a credit account of an enrolled agent. */
export const insertAccount = async (trx: Trx, account: NewAccount, now: Date): Promise<number> => {
  const opened = trx.insertInto('bureau_accounts').values({ ...toRow(account), opened_at: now })
  return (await opened.returning('id').executeTakeFirstOrThrow()).id
}

/** Locks an account of the agent and the furnisher, so that concurrent closings run one after the other. */
export const lockAccount = async (trx: Trx, id: number, agentId: string, partnerId: string) =>
  await trx
    .selectFrom('bureau_accounts')
    .select([
      'platform',
      'credit_limit_cents as creditLimitCents',
      'closed_at as closedAt',
      'is_excluded as isExcluded'
    ])
    .where('id', '=', id)
    .where('agent_id', '=', agentId)
    .where('partner_id', '=', partnerId)
    .forUpdate()
    .executeTakeFirst()

export const markClosed = async (trx: Trx, id: number, now: Date): Promise<void> => {
  await trx.updateTable('bureau_accounts').set({ closed_at: now }).where('id', '=', id).execute()
}

/** Excludes the open accounts that these partners opened for an agent. */
export const excludeAccounts = async (trx: Trx, agentId: string, partnerIds: string[]): Promise<void> => {
  await trx
    .updateTable('bureau_accounts')
    .set({ is_excluded: true })
    .where('agent_id', '=', agentId)
    .where('partner_id', 'in', partnerIds)
    .where('closed_at', 'is', null)
    .execute()
}
