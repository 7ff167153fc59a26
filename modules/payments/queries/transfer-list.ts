import type { Environment } from '../../../plugins/access/caller.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import type { Db } from '../../../plugins/database/types.ts'
import { mergeLists } from '../../../plugins/paging/merged.ts'
import { newestFirst } from '../../../plugins/paging/newest-first.ts'
import type { TimePosition } from '../../../plugins/paging/pages.ts'
import type { TimeRange } from '../../../plugins/time-range.ts'
import type { TransferState } from '../transfer-states.ts'
import { transferColumns, type SubmittedTransfer } from './transfers.ts'

export interface TransferFilter extends TimeRange {
  userId: string | undefined
  state: TransferState | undefined
  /** The source or the destination. */
  accountId: string | undefined
  amountCents: number | undefined
}

/** One environment, and the side of the account if the list is of one: each is read through an index of its own. */
interface Part {
  environment: Environment
  side: 'from_account_id' | 'to_account_id' | undefined
}

const sides = ['from_account_id', 'to_account_id'] as const

const isNewer = (one: SubmittedTransfer, other: SubmittedTransfer): number =>
  other.createdAt.getTime() - one.createdAt.getTime() || (one.id < other.id ? 1 : -1)

/** Up to `limit` transfers, newest first, after the given position. */
export const listTransfers = async (
  db: Db,
  { partnerId, environments }: Viewer,
  { userId, state, accountId, amountCents, from, before }: TransferFilter,
  limit: number,
  after?: TimePosition
): Promise<SubmittedTransfer[]> => {
  const read = async ({ environment, side }: Part): Promise<SubmittedTransfer[]> => {
    let query = db
      .selectFrom('transfers')
      .select(transferColumns)
      .where('partner_id', '=', partnerId)
      .where('environment', '=', environment)
      .where('state', '<>', 'preparing')
    if (side !== undefined && accountId !== undefined) query = query.where(side, '=', accountId)
    if (userId !== undefined) query = query.where('user_id', '=', userId)
    if (state !== undefined) query = query.where('state', '=', state)
    if (amountCents !== undefined) query = query.where('amount_cents', '=', amountCents)
    if (from !== undefined) query = query.where('created_at', '>=', from)
    if (before !== undefined) query = query.where('created_at', '<', before)
    return (await query.$call(newestFirst(after, limit)).execute()) as SubmittedTransfer[]
  }
  const parts = environments.flatMap((environment): Part[] =>
    accountId === undefined ? [{ environment, side: undefined }] : sides.map((side) => ({ environment, side }))
  )
  return await mergeLists(parts.map(read), limit, isNewer)
}
