import type { FastifyInstance } from 'fastify'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import type { ProblemError } from '../../plugins/http/errors/problem.ts'
import { newId } from '../../plugins/ids.ts'
import { isPlaidFailure, type PlaidFailure } from '../../plugins/plaid/index.ts'
import { askBalance, type AccountAccess } from '../linking/index.ts'
import { findEnd, findEndOfTransfer, isReachedInstantly, isTransferable, type End, type EndsContext } from './ends.ts'
import * as errors from './errors.ts'
import { applyEvents, publishState, type Progress } from './progress.ts'
import { findDebit, type Leg } from './queries/legs.ts'
import { deletePreparation, insertPreparation, submitPreparation, type Submitted } from './queries/preparations.ts'
import { clearRequestKey, lockTransfer, resumeTransfer, type Transfer } from './queries/transfers.ts'
import { chooseRail, debitNetworkOf, type Rail } from './rails.ts'
import { findAccepted, sendLeg, type Sending } from './send.ts'

type GivenField = 'partnerId' | 'environment' | 'fromAccountId' | 'toAccountId' | 'amountCents' | 'memo' | 'legalName'

export interface TransferRequest extends Pick<Transfer, GivenField> {
  /** The same for every retry of the request; null when it cannot be retried. */
  requestKey: string | null
  currency: string
  /** The rail that is to pay the destination; undefined for the fastest available one. */
  rail: Rail | undefined
}

/** A stored transfer whose debit Plaid is not known to have accepted. */
export interface Prepared {
  transfer: Transfer
  debit: Leg
  /** The source; undefined when it was unlinked meanwhile. */
  from: End | undefined
}

type Source = End & { linked: AccountAccess }

const checkEnds = (ends: End[], currency: string): void => {
  for (const end of ends) {
    if (!isTransferable(end)) throw errors.accountNotTransferable(end.id)
    if (currency !== 'USD' || end.currency !== currency) throw errors.currencyMismatch(end.id, end.currency, currency)
  }
}

const chooseRoute = (from: End, to: End, { amountCents, rail: requested }: TransferRequest, at: Date) => {
  const movement = { amountCents, at, instantReach: isReachedInstantly(from) && isReachedInstantly(to) }
  const { rail, refusal } = chooseRail(movement, requested)
  if (refusal !== undefined) throw errors.railUnavailable(rail, refusal)
  return { creditRail: rail, debitNetwork: debitNetworkOf(rail, movement) }
}

const prepare = async (app: FastifyInstance, request: TransferRequest, from: Source, to: End): Promise<Prepared> => {
  checkEnds([from, to], request.currency)
  const storeBalance = await askBalance(app, from.linked)
  const now = app.clock.now()
  const { debitNetwork, creditRail } = chooseRoute(from, to, request, now)
  const { rail: _requested, ...given } = request
  const transfer = {
    ...given,
    creditRail,
    id: newId('tfr'),
    userId: from.linked.userId,
    currency: 'USD' as const,
    createdAt: now,
    touchedAt: now
  }
  const itemIds = [from, to].flatMap(({ linked }) => linked?.account.itemId ?? [])
  const result = await transact(app.database.db, async (trx) => {
    const availableCents = await storeBalance(trx)
    return await insertPreparation(trx, { transfer, debitNetwork, itemIds, availableCents })
  })
  switch (result.outcome) {
    case 'unlinked':
      throw errors.accountBeingDeleted()
    case 'insufficient':
      throw errors.insufficientFunds(result.leftCents, request.amountCents)
    case 'prepared':
      return { transfer: result.transfer, debit: result.debit, from }
  }
}

/** The preparation of an earlier attempt of the same request. */
const resume = async (
  app: EndsContext & Pick<FastifyInstance, 'clock'>,
  { partnerId, requestKey }: TransferRequest
): Promise<Prepared | undefined> => {
  if (requestKey === null) return undefined
  const { db } = app.database
  const [transfer] = await resumeTransfer(db, { partnerId, requestKey, now: app.clock.now() })
  if (transfer === undefined) return undefined
  const [debit, from] = await Promise.all([findDebit(db, transfer.id), findEndOfTransfer(app, transfer, 'from')])
  // Without a debit the preparation was deleted meanwhile, because Plaid had declined it.
  return debit === undefined ? undefined : { transfer, debit, from }
}

/**
 * Checks a transfer and stores it with its debit and the hold of its funds, in a transaction of its own: after a crash during the calls to Plaid, the sweep
 * submits or deletes it. Partners do not see it yet. Resumes the preparation of an earlier attempt of the request.
 *
 * @throws ProblemError 404 or 422
 */
export const prepareTransfer = async (app: FastifyInstance, request: TransferRequest): Promise<Prepared> => {
  const { partnerId, environment, fromAccountId, toAccountId, legalName } = request
  const viewer = { partnerId, environments: [environment] }
  const [earlier, from, to] = await Promise.all([
    resume(app, request),
    findEnd(app, viewer, fromAccountId, { legalName }),
    findEnd(app, viewer, toAccountId)
  ])
  if (earlier !== undefined) return earlier
  if (fromAccountId === toAccountId) throw errors.sameAccount()
  // A recipient cannot be debited: only its holder can send its money.
  if (from?.linked === undefined) throw errors.sourceNotFound(fromAccountId)
  if (to === undefined) throw errors.destinationNotFound(toAccountId)
  return await prepare(app, request, { ...from, linked: from.linked }, to)
}

const problemOf = (error: PlaidFailure, transfer: Transfer): ProblemError => {
  if (error.errorCode === 'TRANSFER_UNSUPPORTED_ACCOUNT_TYPE')
    return errors.accountNotTransferable(transfer.fromAccountId)
  if (error.errorType !== 'ITEM_ERROR') return error
  return errors.transferDeclined({
    code: error.errorCode,
    description: 'The bank login does not work.',
    loginRequired: true
  })
}

/**
 * Sends the debit of a prepared transfer to Plaid. Deletes the preparation with its hold when Plaid declines. Keeps it when Plaid does not respond, because
 * Plaid may have accepted an authorized debit; the next attempt or the sweep finds out.
 *
 * @returns Plaid's id of the debit
 * @throws ProblemError 422 `transfer_declined`, 502
 */
export const sendDebit = async (app: Sending, { transfer, debit, from }: Prepared): Promise<string> => {
  const { db } = app.database
  if (debit.plaidTransferId !== null) return debit.plaidTransferId
  if (from === undefined) throw errors.sourceNotFound(transfer.fromAccountId)
  try {
    const result = await sendLeg(app, transfer, debit, from)
    if ('plaidTransferId' in result) return result.plaidTransferId
    await deletePreparation(db, transfer.id)
    throw errors.transferDeclined(result.refused)
  } catch (error) {
    if (isPlaidFailure(error)) {
      // Plaid may have accepted an earlier attempt whose response was lost; such a debit must be kept.
      const plaidTransferId = await findAccepted(app, transfer, debit.id)
      if (plaidTransferId !== undefined) return plaidTransferId
      await deletePreparation(db, transfer.id)
      throw problemOf(error, transfer)
    }
    // Without an authorization Plaid cannot have accepted the debit, so the funds need not be held.
    if ((await findDebit(db, transfer.id))?.authorizationId === null) await deletePreparation(db, transfer.id)
    throw error
  }
}

/**
 * Submits a prepared transfer whose debit Plaid has accepted; does nothing when it is submitted already.
 * @param options.clearsRequestKey whether the transaction also stores the response of the request that created the transfer
 * @returns the transfer with its first event; undefined when more has happened to it
 * @throws ProblemError 502 when the preparation was deleted meanwhile
 */
export const submitTransfer = async (
  app: Progress,
  trx: Trx,
  transfer: Pick<Transfer, 'id' | 'partnerId' | 'environment'>,
  plaidTransferId: string,
  { clearsRequestKey }: { clearsRequestKey: boolean }
): Promise<Submitted | undefined> => {
  const { id } = transfer
  const now = app.clock.now()
  const submitted = await submitPreparation(trx, { transferId: id, plaidTransferId, clearsRequestKey, now })
  if (submitted !== undefined) {
    await publishState(app, trx, transfer, submitted.event.state)
    if (!submitted.hasNews) return submitted
    await applyEvents(app, trx, id)
    return undefined
  }
  const present = await lockTransfer(trx, id)
  if (present === undefined) throw errors.preparationExpired()
  if (present.state === 'preparing') throw new Error(`Transfer ${id} has no wanted debit.`)
  if (clearsRequestKey) await clearRequestKey(trx, id)
  return undefined
}
