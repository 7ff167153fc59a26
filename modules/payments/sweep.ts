import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { idempotencyLifetimeMs } from '../../plugins/operations/idempotency-keys.ts'
import { readDebit, submitTransfer } from './preparation.ts'
import { eraseDeletedRecipients } from './queries/recipients.ts'
import { deletePreparation, forgetOldRequests, listStalePreparations, type TransferRow } from './queries/transfers.ts'
import { findByAuthorization } from './send.ts'
import { forgetOldEvents } from './sync.ts'

/** Longer than any request can take, with all of its calls and their retries. */
const preparationAgeMs = 10 * 60_000
const batch = 50

/** Finishes a preparation whose debit Plaid has taken, and undoes one whose debit it has not. */
const settlePreparation = async (app: FastifyInstance, transfer: TransferRow): Promise<void> => {
  const debit = await readDebit(app, transfer.id)
  const authorizationId = debit?.authorization_id ?? null
  const plaidTransferId =
    authorizationId === null ? undefined : await findByAuthorization(app, transfer, authorizationId)
  if (plaidTransferId === undefined) await deletePreparation(app.database.db, transfer.id, transfer.touched_at)
  else
    await transact(app.database.db, (trx) => submitTransfer(app, trx, transfer, plaidTransferId, { answered: false }))
}

/** Clears up after requests and processes that died half-way, and forgets what nobody needs any more. */
export const sweepPayments = async (app: FastifyInstance): Promise<void> => {
  const { db } = app.database
  const now = app.clock.now().getTime()
  for (const transfer of await listStalePreparations(db, new Date(now - preparationAgeMs), batch)) {
    try {
      await settlePreparation(app, transfer)
    } catch (error) {
      // Plaid does not answer: its turn comes again.
      if (!(error instanceof ProblemError)) throw error
    }
  }
  await forgetOldRequests(db, new Date(now - idempotencyLifetimeMs))
  await eraseDeletedRecipients(db)
  await forgetOldEvents(app)
}
