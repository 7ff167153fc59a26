import type { FastifyInstance } from 'fastify'
import type { Db } from '../../../plugins/database/types.ts'
import { notFound } from '../../../plugins/http/errors/kinds.ts'
import { toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import type { operations } from '../../../spec/generated/payments.ts'
import { transferNotCancellable } from '../errors.ts'
import { prepareTransfer, readDebit, sendDebit, submitTransfer } from '../preparation.ts'
import { moveLeg } from '../progress.ts'
import { cancelAtPlaid } from '../recall.ts'
import { listLegs } from '../queries/legs.ts'
import {
  findTransfer,
  listEvents,
  lockTransfer,
  pageTransfers,
  type SubmittedTransfer,
  type Viewer
} from '../queries/transfers.ts'
import { toTransfer, toTransferSummary } from '../wire.ts'

const listName = 'transfers'

export const noSuchTransfer = () => notFound('There is no such transfer.')

/** @throws ProblemError 404 */
export const requireTransfer = async (db: Db, viewer: Viewer, id: string): Promise<SubmittedTransfer> => {
  const transfer = await findTransfer(db, viewer, id)
  if (transfer === undefined) throw noSuchTransfer()
  return transfer
}

/** A transfer as it is now, with its history. */
export const showTransfer = async (db: Db, viewer: Viewer, id: string) => {
  // First of all, so that what comes meanwhile can only be in the history too early.
  const transfer = await requireTransfer(db, viewer, id)
  return toTransfer(transfer, ...(await Promise.all([listEvents(db, id), listLegs(db, id)])))
}

/** Cancels the debit. @throws ProblemError 409 when Plaid has begun with it. */
const cancelDebit = async (app: FastifyInstance, transfer: SubmittedTransfer): Promise<void> => {
  const debit = await readDebit(app, transfer.id)
  const plaidTransferId = debit?.plaid_transfer_id
  if (plaidTransferId === null || plaidTransferId === undefined)
    throw new Error(`The transfer ${transfer.id} has no debit at Plaid.`)
  if (!(await cancelAtPlaid(app, transfer.environment, plaidTransferId))) throw notCancellable(transfer.state)
}

const notCancellable = (state: string) =>
  transferNotCancellable(`The transfer is ${state}; only a submitted one can be cancelled.`, { state })

export const transferHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'createTransfer' | 'listTransfers' | 'getTransfer' | 'cancelTransfer'> => ({
  async createTransfer({ body, caller, request, onwardKey }) {
    const prepared = await prepareTransfer(app, {
      partnerId: caller.partnerId,
      environment: caller.environment,
      // Without an idempotency key every request is one of its own, whatever request id it carries.
      requestKey: request.headers['idempotency-key'] === undefined ? null : onwardKey,
      fromAccountId: body.from_account_id,
      toAccountId: body.to_account_id,
      amountCents: toCents(body.amount),
      currency: body.currency ?? 'USD',
      memo: body.memo ?? null,
      legalName: body.legal_name ?? null,
      rail: body.rail
    })
    const plaidTransferId = await sendDebit(app, prepared)
    return async (trx) => {
      const { transfer, debit } = prepared
      const submitted = await submitTransfer(app, trx, transfer, plaidTransferId, { answered: true })
      if (submitted !== undefined)
        return toTransfer(submitted.transfer, [submitted.event], [{ ...debit, status: 'pending' }])
      return await showTransfer(trx, { partnerId: caller.partnerId, environments: [transfer.environment] }, transfer.id)
    }
  },

  async listTransfers({ query, caller, db }) {
    const limit = query.limit ?? 100
    const found = await pageTransfers(
      db,
      caller,
      { userId: query.user_id, state: query.status },
      limit,
      readTimePosition(app.cursors, listName, query.cursor)
    )
    const { rows, nextCursor } = pageByTime(app.cursors, listName, found, limit)
    return { transfers: rows.map(toTransferSummary), next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async getTransfer({ params, caller, db }) {
    return await showTransfer(db, caller, params.id)
  },

  async cancelTransfer({ params, caller, db }) {
    const transfer = await requireTransfer(db, caller, params.id)
    if (transfer.state !== 'submitted') throw notCancellable(transfer.state)
    await cancelDebit(app, transfer)
    return async (trx) => {
      const present = await lockTransfer(trx, transfer.id)
      const [debit] = await listLegs(trx, transfer.id)
      // Plaid's own event of the cancellation may have been first.
      if (debit?.status === 'pending') await moveLeg(app, trx, transfer.id, debit, 'cancelled', null)
      if (present === undefined) throw noSuchTransfer()
      return await showTransfer(trx, caller, transfer.id)
    }
  }
})
