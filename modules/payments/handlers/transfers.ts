import type { Static } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import type { Db } from '../../../plugins/database/types.ts'
import { toCents } from '../../../plugins/money.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { filteredList } from '../../../plugins/paging/filtered-list.ts'
import { pageByTime, readTimePosition } from '../../../plugins/paging/pages.ts'
import { readTimeRange } from '../../../plugins/time-range.ts'
import type { operations } from '../../../spec/generated/payments.ts'
import type { Viewer } from '../../../plugins/access/viewer.ts'
import { transferNotCancellable, transferNotFound } from '../errors.ts'
import { prepareTransfer, sendDebit, submitTransfer } from '../preparation.ts'
import { moveLeg } from '../progress.ts'
import { findDebit, listLegs, listLegsOf } from '../queries/legs.ts'
import { listTransfers, type TransferFilter } from '../queries/transfer-list.ts'
import { findTransfer, listEvents, lockTransfer, type SubmittedTransfer } from '../queries/transfers.ts'
import { cancelAtPlaid } from '../recall.ts'
import { toTransfer, toTransferSummary } from '../wire.ts'

type Filters = Omit<Static<(typeof operations)['listTransfers']['schema']['querystring']>, 'cursor' | 'limit'>

/** @throws ProblemError 404 `not_found` */
export const requireTransfer = async (db: Db, viewer: Viewer, id: string): Promise<SubmittedTransfer> => {
  const transfer = await findTransfer(db, viewer, id)
  if (transfer === undefined) throw transferNotFound()
  return transfer
}

/** The response body of a transfer with its events and legs. */
export const readTransferBody = async (db: Db, viewer: Viewer, id: string) => {
  // Read first: a change in between then shows in the history earlier than in the state, never the reverse.
  const transfer = await requireTransfer(db, viewer, id)
  const [events, legs] = await Promise.all([listEvents(db, id), listLegs(db, id)])
  return toTransfer(transfer, events, legs)
}

/** Cancels the debit at Plaid. @throws ProblemError 409 `transfer_not_cancellable` when Plaid has passed it on */
const cancelDebit = async (
  app: Pick<FastifyInstance, 'database' | 'plaid'>,
  { id, environment, state }: SubmittedTransfer
): Promise<void> => {
  const plaidTransferId = (await findDebit(app.database.db, id))?.plaidTransferId ?? null
  if (plaidTransferId === null) throw new Error(`Transfer ${id} has no debit at Plaid.`)
  if (!(await cancelAtPlaid(app, environment, plaidTransferId))) throw transferNotCancellable(state)
}

const filterOf = ({
  user_id: userId,
  status: state,
  account_id: accountId,
  amount,
  from,
  to
}: Filters): TransferFilter => ({
  userId,
  state,
  accountId,
  amountCents: amount === undefined ? undefined : toCents(amount),
  ...readTimeRange({ from, to })
})

export const transferHandlers = (
  app: FastifyInstance
): Pick<Handlers<typeof operations>, 'createTransfer' | 'listTransfers' | 'getTransfer' | 'cancelTransfer'> => ({
  async createTransfer({ body, caller, request, onwardKey }) {
    const { partnerId, environment } = caller
    const prepared = await prepareTransfer(app, {
      partnerId,
      environment,
      // Requests without an idempotency key are never retries, even if they share a request id.
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
      const submitted = await submitTransfer(app, trx, transfer, plaidTransferId, { clearsRequestKey: true })
      if (submitted !== undefined)
        return toTransfer(submitted.transfer, [submitted.event], [{ ...debit, status: 'pending' }])
      return await readTransferBody(trx, { partnerId, environments: [transfer.environment] }, transfer.id)
    }
  },

  async listTransfers({ query, caller, db }) {
    const { cursor, limit = 100, ...filters } = query
    const list = filteredList('transfers', filters)
    const after = readTimePosition(app.cursors, list, cursor)
    const found = await listTransfers(db, caller, filterOf(filters), limit + 1, after)
    const { rows, nextCursor } = pageByTime(app.cursors, list, found, limit)
    const legs = await listLegsOf(
      db,
      rows.map(({ id }) => id)
    )
    const transfers = rows.map((transfer) => toTransferSummary(transfer, legs.get(transfer.id) ?? []))
    return { transfers, next_cursor: nextCursor, has_more: nextCursor !== null }
  },

  async getTransfer({ params, caller, db }) {
    return await readTransferBody(db, caller, params.id)
  },

  async cancelTransfer({ params, caller, db }) {
    const transfer = await requireTransfer(db, caller, params.id)
    if (transfer.state !== 'submitted') throw transferNotCancellable(transfer.state)
    await cancelDebit(app, transfer)
    return async (trx) => {
      const present = await lockTransfer(trx, transfer.id)
      if (present === undefined) throw transferNotFound()
      const debit = await findDebit(trx, transfer.id)
      // Plaid's event of the cancellation may have been applied already.
      if (debit?.status === 'pending') await moveLeg(app, trx, transfer.id, debit, 'cancelled', null)
      return await readTransferBody(trx, caller, transfer.id)
    }
  }
})
