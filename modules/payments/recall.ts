import type { FastifyInstance } from 'fastify'
import { TransferStatus } from 'plaid'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { isPlaidFailure } from '../../plugins/plaid/index.ts'
import { applyEvents, moveLeg, type Progress } from './progress.ts'
import { findLeg, listLegsToRecall, postponeLeg, setLegAccepted, type Leg } from './queries/legs.ts'
import { lockTransfer, readTransfer, type Transfer } from './queries/transfers.ts'
import { findByAuthorization, hasExpired, type Sending } from './send.ts'

type Recall = Sending & Progress

const batch = 200
/** The wait before the next look at a payment that could not be cancelled yet. */
const retryAfterMs = 5 * 60_000
const reason = 'The debit was returned.'

/** Cancels a payment at Plaid. @returns false when Plaid has passed it on to its network */
export const cancelAtPlaid = async (
  { plaid }: Pick<FastifyInstance, 'plaid'>,
  environment: Environment,
  plaidTransferId: string
): Promise<boolean> => {
  const client = plaid.in(environment)
  try {
    await client.call((api) => api.transferCancel({ transfer_id: plaidTransferId }), { repeatable: true })
    return true
  } catch (error) {
    if (!isPlaidFailure(error, 'TRANSFER_NOT_CANCELLABLE')) throw error
    // An earlier attempt whose response was lost may have cancelled it.
    const { transfer } = await client.call((api) => api.transferGet({ transfer_id: plaidTransferId }), {
      repeatable: true
    })
    return transfer.status === TransferStatus.Cancelled
  }
}

const cancelLeg = async (app: Recall, transferId: string, legId: string, from: Leg['status']): Promise<void> =>
  await transact(app.database.db, async (trx) => {
    await lockTransfer(trx, transferId)
    const present = await findLeg(trx, transferId, legId)
    // Plaid's event of the cancellation may have been applied already.
    if (present?.status === from) await moveLeg(app, trx, transferId, present, 'cancelled', reason)
  })

/** The id of a leg's transfer at Plaid. Stores it with the leg when its sender could not. */
const findSent = async (app: Recall, transfer: Transfer, leg: Leg): Promise<string | undefined> => {
  if (leg.plaidTransferId !== null || leg.authorizationId === null) return leg.plaidTransferId ?? undefined
  const plaidTransferId = await findByAuthorization(app, transfer, leg.authorizationId)
  if (plaidTransferId === undefined) return undefined
  await transact(app.database.db, async (trx) => {
    await lockTransfer(trx, transfer.id)
    if (await setLegAccepted(trx, leg.id, plaidTransferId)) await applyEvents(app, trx, transfer.id)
  })
  return plaidTransferId
}

/**
 * Cancels one payment. A payment with an authorization and no transfer may be being sent at this moment, so it stays open until the authorization has expired.
 * @returns whether the payment has ended
 */
const recallLeg = async (app: Recall, transfer: Transfer, leg: Leg): Promise<boolean> => {
  const plaidTransferId = await findSent(app, transfer, leg)
  if (plaidTransferId === undefined) {
    if (leg.authorizationId !== null && !hasExpired(leg, app.clock.now())) return false
    await cancelLeg(app, transfer.id, leg.id, 'wanted')
    return true
  }
  if (await cancelAtPlaid(app, transfer.environment, plaidTransferId)) {
    await cancelLeg(app, transfer.id, leg.id, 'pending')
    return true
  }
  app.log.error(
    { transferId: transfer.id, leg: leg.kind, plaidTransferId },
    'a payment whose debit was returned is with its network and cannot be cancelled'
  )
  return false
}

/** Cancels payments that were sent, or may be being sent, although the bank has returned their debit. A payment with its network cannot be cancelled. */
export const recallPayments = async (app: Recall): Promise<void> => {
  const { db } = app.database
  for (const leg of await listLegsToRecall(db, app.clock.now(), batch)) {
    const transfer = await readTransfer(db, leg.transferId)
    if (transfer === undefined) continue
    try {
      if (await recallLeg(app, transfer, leg)) continue
    } catch (error) {
      // Plaid does not respond; a later sync retries.
      if (!(error instanceof ProblemError)) throw error
    }
    await postponeLeg(db, leg.id, new Date(app.clock.now().getTime() + retryAfterMs))
  }
}
