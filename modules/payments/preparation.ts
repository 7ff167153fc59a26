import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { notFound, upstreamUnavailable } from '../../plugins/http/errors/kinds.ts'
import type { ProblemError } from '../../plugins/http/errors/problem.ts'
import { newId } from '../../plugins/ids.ts'
import { fromCents } from '../../plugins/money.ts'
import { isPlaidFailure, type PlaidFailure } from '../../plugins/plaid/index.ts'
import { askBalance, type AccountAccess } from '../linking/index.ts'
import { findEnd, findEndOfTransfer, isReachedInstantly, isTransferable, type End } from './ends.ts'
import {
  accountNotTransferable,
  currencyMismatch,
  insufficientFunds,
  railUnavailable,
  sameAccount,
  transferDeclined
} from './errors.ts'
import { applyEvents, tellOf } from './progress.ts'
import { listLegs, type LegRow } from './queries/legs.ts'
import { insertPreparation, submitPreparation, type Submitted } from './queries/preparations.ts'
import {
  deletePreparation,
  forgetRequest,
  lockTransfer,
  takeUpTransfer,
  type NewTransfer,
  type TransferRow
} from './queries/transfers.ts'
import { chooseRail, debitNetworkOf, estimateSettlement, type Network, type Rail } from './rails.ts'
import { findTaken, sendLeg, type Refusal } from './send.ts'

export interface Wanted {
  partnerId: string
  environment: Environment
  /** The same at every retry of the request; null when nobody can retry it. */
  requestKey: string | null
  fromAccountId: string
  toAccountId: string
  amountCents: number
  currency: string
  memo: string | null
  legalName: string | null
  rail: Rail | undefined
}

const checkEnds = (ends: End[], currency: string): void => {
  for (const end of ends) {
    if (!isTransferable(end))
      throw accountNotTransferable('Money moves between checking and savings accounts only.', { account_id: end.id })
    if (currency !== 'USD' || end.currency !== currency) {
      throw currencyMismatch(`The account holds ${end.currency ?? 'an unknown currency'}; transfers are in USD.`, {
        account_id: end.id,
        currency
      })
    }
  }
}

/** A transfer whose debit Plaid has not been given yet, or has not told to have. */
export interface Prepared {
  transfer: TransferRow
  debit: LegRow
  /** Where the money comes from; undefined when it was unlinked meanwhile. */
  from: End | undefined
}

const noSource = (accountId: string): ProblemError =>
  notFound('There is no such account to send from.', { account_id: accountId })

const chooseWay = (
  from: End,
  to: End,
  { amountCents, rail: wish }: Wanted,
  at: Date
): { rail: Rail; debitNetwork: Network } => {
  const movement = { amountCents, at, instantReach: isReachedInstantly(from) && isReachedInstantly(to) }
  const { rail, refusal } = chooseRail(movement, wish)
  if (refusal !== undefined) throw railUnavailable(refusal, { rail })
  return { rail, debitNetwork: debitNetworkOf(rail, movement) }
}

const insufficient = (leftCents: number, requiredCents: number): ProblemError => {
  const available = fromCents(Math.max(0, leftCents))
  return insufficientFunds(`The account has ${available.toFixed(2)} left for transfers.`, {
    available,
    required: fromCents(requiredCents)
  })
}

const linkedOf = (ends: End[]): AccountAccess[] => ends.flatMap(({ linked }) => (linked === undefined ? [] : [linked]))

const prepare = async (
  app: FastifyInstance,
  wanted: Wanted,
  from: End & { linked: AccountAccess },
  to: End
): Promise<Prepared> => {
  checkEnds([from, to], wanted.currency)
  const storeBalance = await askBalance(app, from.linked)
  const now = app.clock.now()
  const { rail, debitNetwork } = chooseWay(from, to, wanted, now)
  const transfer: NewTransfer = {
    id: newId('tfr'),
    partner_id: wanted.partnerId,
    environment: wanted.environment,
    request_key: wanted.requestKey,
    user_id: from.linked.userId,
    from_account_id: from.id,
    to_account_id: to.id,
    amount_cents: wanted.amountCents,
    currency: 'USD',
    memo: wanted.memo,
    legal_name: wanted.legalName,
    rail,
    estimated_settlement: estimateSettlement(rail, debitNetwork, now),
    created_at: now,
    touched_at: now
  }
  const itemIds = linkedOf([from, to]).map(({ itemId }) => itemId)
  const result = await transact(app.database.db, async (trx) => {
    const availableCents = await storeBalance(trx)
    return await insertPreparation(trx, { transfer, debitNetwork, itemIds, availableCents })
  })
  switch (result.outcome) {
    case 'unlinked':
      throw notFound('An account of the transfer is being deleted.')
    case 'insufficient':
      throw insufficient(result.leftCents, wanted.amountCents)
    case 'prepared':
      return { transfer: result.transfer, debit: result.debit, from }
  }
}

/** What an earlier attempt of the same request has prepared. */
const takeUp = async (app: FastifyInstance, { partnerId, requestKey }: Wanted): Promise<Prepared | undefined> => {
  if (requestKey === null) return undefined
  const { db } = app.database
  const [transfer] = await takeUpTransfer(db, { partnerId, requestKey, now: app.clock.now() })
  if (transfer === undefined) return undefined
  const [debit, from] = await Promise.all([readDebit(app, transfer.id), findEndOfTransfer(app, transfer, 'from')])
  // Undone meanwhile, since Plaid had refused it; then there is nothing to take up.
  return debit === undefined ? undefined : { transfer, debit, from }
}

/**
 * Checks a transfer and prepares it: its row, its debit and the hold of its funds, in a transaction of their own, so that a crash during the calls to
 * Plaid leaves a trace from which it can be finished or undone. Nobody sees it yet. What an earlier attempt of the request has prepared is taken up.
 *
 * @throws ProblemError 404 or 422 with what is wrong with it
 */
export const prepareTransfer = async (app: FastifyInstance, wanted: Wanted): Promise<Prepared> => {
  const viewer = { partnerId: wanted.partnerId, environments: [wanted.environment] }
  const [earlier, from, to] = await Promise.all([
    takeUp(app, wanted),
    findEnd(app, viewer, wanted.fromAccountId, { legalName: wanted.legalName }),
    findEnd(app, viewer, wanted.toAccountId)
  ])
  if (earlier !== undefined) return earlier
  if (wanted.fromAccountId === wanted.toAccountId) throw sameAccount('A transfer needs two different accounts.')
  // Money cannot be pulled from a recipient: only its holder can let go of it.
  if (from?.linked === undefined) throw noSource(wanted.fromAccountId)
  if (to === undefined)
    throw notFound('There is no such account or recipient to send to.', { account_id: wanted.toAccountId })
  return await prepare(app, wanted, { ...from, linked: from.linked }, to)
}

const declined = ({ code, description, loginRequired }: Refusal): ProblemError => {
  const detail = loginRequired
    ? 'The login at the bank needs its owner: open Link in update mode, then try again.'
    : `Plaid declined the transfer: ${description}`
  return transferDeclined(detail, { reason: code, reason_description: description })
}

const refusedProblem = (error: PlaidFailure, transfer: TransferRow): ProblemError => {
  if (error.errorCode === 'TRANSFER_UNSUPPORTED_ACCOUNT_TYPE') {
    return accountNotTransferable('Plaid does not move money from this kind of account.', {
      account_id: transfer.from_account_id
    })
  }
  if (error.errorType === 'ITEM_ERROR')
    return declined({ code: error.errorCode, description: 'The bank’s login does not work.', loginRequired: true })
  return error
}

export const readDebit = async (app: FastifyInstance, transferId: string): Promise<LegRow | undefined> =>
  (await listLegs(app.database.db, transferId)).find(({ kind }) => kind === 'debit')

/**
 * Gives the debit of a prepared transfer to Plaid. What Plaid declines is undone with its hold; when Plaid does not answer, the preparation stays,
 * because Plaid may have taken it after it was authorized, and the next attempt or the sweeper finds out.
 *
 * @returns Plaid's id of the debit
 * @throws ProblemError 422 `transfer_declined`, 502
 */
export const sendDebit = async (app: FastifyInstance, { transfer, debit, from }: Prepared): Promise<string> => {
  const { db } = app.database
  if (debit.plaid_transfer_id !== null) return debit.plaid_transfer_id
  if (from === undefined) throw noSource(transfer.from_account_id)
  try {
    const result = await sendLeg(app, transfer, debit, from)
    if ('plaidTransferId' in result) return result.plaidTransferId
    await deletePreparation(db, transfer.id)
    throw declined(result.refused)
  } catch (error) {
    if (isPlaidFailure(error)) {
      // An earlier try may have been taken and its answer lost; a debit that happened must not be forgotten.
      const taken = await findTaken(app, transfer, debit.id)
      if (taken !== undefined) return taken
      await deletePreparation(db, transfer.id)
      throw refusedProblem(error, transfer)
    }
    // Without an authorization Plaid cannot have taken anything, and the funds need not be held.
    if ((await readDebit(app, transfer.id))?.authorization_id === null) await deletePreparation(db, transfer.id)
    throw error
  }
}

/**
 * Submits a prepared transfer whose debit Plaid has taken; nothing when that was done before.
 * @param options.answered whether the request that made it is answered with it
 * @returns the transfer with its first event, where that is all that has happened to it
 * @throws ProblemError 502 when the preparation was given up meanwhile
 */
export const submitTransfer = async (
  app: FastifyInstance,
  trx: Trx,
  { id, partner_id }: TransferRow,
  plaidTransferId: string,
  { answered }: { answered: boolean }
): Promise<Submitted | undefined> => {
  const submitted = await submitPreparation(trx, { transferId: id, plaidTransferId, answered, now: app.clock.now() })
  if (submitted !== undefined) {
    await tellOf(app, trx, { id, partner_id }, submitted.event.state)
    if (!submitted.hasNews) return submitted
    await applyEvents(app, trx, id)
    return undefined
  }
  const present = await lockTransfer(trx, id)
  if (present === undefined)
    throw upstreamUnavailable('The transfer took too long and was given up; no money has moved. Try again.')
  if (present.state === 'preparing') throw new Error(`The transfer ${id} has no debit that is wanted.`)
  if (answered) await forgetRequest(trx, id)
  return undefined
}
