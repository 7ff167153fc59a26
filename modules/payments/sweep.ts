import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { idempotencyLifetimeMs } from '../../plugins/operations/idempotency-keys.ts'
import { submitTransfer } from './preparation.ts'
import { findDebit } from './queries/legs.ts'
import { deleteOldPlaidEvents } from './queries/plaid-events.ts'
import { deletePreparation, listStalePreparations } from './queries/preparations.ts'
import { eraseDeletedRecipients } from './queries/recipients.ts'
import { clearOldRequestKeys, type Transfer } from './queries/transfers.ts'
import { findByAuthorization } from './send.ts'
import { watchedMs, type Sync } from './sync.ts'

/** Longer than any request can take, including its calls to Plaid and their retries. */
const preparationAgeMs = 10 * 60_000
const batch = 50

/** Submits a preparation whose debit Plaid has accepted, and deletes any other. */
const settlePreparation = async (app: Sync, transfer: Transfer): Promise<void> => {
  const { db } = app.database
  const authorizationId = (await findDebit(db, transfer.id))?.authorizationId ?? null
  const plaidTransferId =
    authorizationId === null ? undefined : await findByAuthorization(app, transfer, authorizationId)
  if (plaidTransferId === undefined) await deletePreparation(db, transfer.id, transfer.touchedAt)
  else await transact(db, (trx) => submitTransfer(app, trx, transfer, plaidTransferId, { clearsRequestKey: false }))
}

/** Settles what interrupted requests and processes left behind, and deletes data that is no longer needed. */
export const sweepPayments = async (app: Sync): Promise<void> => {
  const { db } = app.database
  const now = app.clock.now().getTime()
  for (const transfer of await listStalePreparations(db, new Date(now - preparationAgeMs), batch)) {
    try {
      await settlePreparation(app, transfer)
    } catch (error) {
      // Plaid does not respond; the next sweep retries.
      if (!(error instanceof ProblemError)) throw error
    }
  }
  await clearOldRequestKeys(db, new Date(now - idempotencyLifetimeMs))
  await eraseDeletedRecipients(db)
  await deleteOldPlaidEvents(db, new Date(now - 2 * watchedMs))
}
