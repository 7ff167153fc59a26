import type { FastifyInstance } from 'fastify'
import { TransferStatus } from 'plaid'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import { applyEvents, moveLeg } from './progress.ts'
import { listLegs, listLegsToRecall, postponeLeg, setLegTaken, type LegRow } from './queries/legs.ts'
import { lockTransfer, readTransfer, type TransferRow } from './queries/transfers.ts'
import { findByAuthorization, hasExpired } from './send.ts'

const batch = 200
/** Until the next look at a payment of which Plaid has not told yet whether it can be called off. */
const retryAfterMs = 5 * 60_000
const reason = 'The debit was returned.'

/** Cancels a payment at Plaid. @returns false when it has gone to its network */
export const cancelAtPlaid = async (
  app: FastifyInstance,
  environment: Environment,
  plaidTransferId: string
): Promise<boolean> => {
  const client = app.plaid.in(environment)
  try {
    await client.call((api) => api.transferCancel({ transfer_id: plaidTransferId }), { repeatable: true })
    return true
  } catch (error) {
    if (!isPlaidFailure(error, 'TRANSFER_NOT_CANCELLABLE')) throw error
    // An attempt whose answer was lost may have cancelled it.
    const { transfer } = await client.call((api) => api.transferGet({ transfer_id: plaidTransferId }), {
      repeatable: true
    })
    return transfer.status === TransferStatus.Cancelled
  }
}

const endLeg = async (app: FastifyInstance, transferId: string, legId: string, from: LegRow['status']): Promise<void> =>
  await transact(app.database.db, async (trx) => {
    await lockTransfer(trx, transferId)
    const present = (await listLegs(trx, transferId)).find(({ id }) => id === legId)
    // Plaid's own event of it may have been first.
    if (present?.status === from) await moveLeg(app, trx, transferId, present, 'cancelled', reason)
  })

/** Plaid's transfer of a leg that is to be called off, noted with the leg when its sender could not do so. */
const findSent = async (app: FastifyInstance, transfer: TransferRow, leg: LegRow): Promise<string | undefined> => {
  if (leg.plaid_transfer_id !== null || leg.authorization_id === null) return leg.plaid_transfer_id ?? undefined
  const plaidTransferId = await findByAuthorization(app, transfer, leg.authorization_id)
  if (plaidTransferId === undefined) return undefined
  await transact(app.database.db, async (trx) => {
    await lockTransfer(trx, transfer.id)
    if (await setLegTaken(trx, leg.id, plaidTransferId)) await applyEvents(app, trx, transfer.id)
  })
  return plaidTransferId
}

/**
 * Calls one payment off. One that has an authorization and no transfer may be in somebody's hands at this moment, so it is watched until the
 * authorization can be used no more.
 * @returns whether it has come to an end
 */
const recallLeg = async (app: FastifyInstance, transfer: TransferRow, leg: LegRow): Promise<boolean> => {
  const plaidTransferId = await findSent(app, transfer, leg)
  if (plaidTransferId === undefined) {
    if (leg.authorization_id !== null && !hasExpired(app, leg)) return false
    await endLeg(app, transfer.id, leg.id, 'wanted')
    return true
  }
  if (await cancelAtPlaid(app, transfer.environment, plaidTransferId)) {
    await endLeg(app, transfer.id, leg.id, 'pending')
    return true
  }
  app.log.error(
    { transferId: transfer.id, leg: leg.kind, plaidTransferId },
    'a payment whose debit was returned is with its network already and cannot be called off'
  )
  return false
}

/** Calls off what went out, or may go out, although the bank has taken its debit back. What its network has cannot be called off any more. */
export const recallPayments = async (app: FastifyInstance): Promise<void> => {
  const { db } = app.database
  for (const leg of await listLegsToRecall(db, app.clock.now(), batch)) {
    const transfer = await readTransfer(db, leg.transfer_id)
    if (transfer === undefined) continue
    try {
      if (await recallLeg(app, transfer, leg)) continue
    } catch (error) {
      // Plaid does not answer: its turn comes again.
      if (!(error instanceof ProblemError)) throw error
    }
    await postponeLeg(db, leg.id, new Date(app.clock.now().getTime() + retryAfterMs))
  }
}
