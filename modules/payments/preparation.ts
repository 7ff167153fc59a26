import type { FastifyInstance } from 'fastify'
import type { Environment } from '../../plugins/auth/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { notFound, upstreamUnavailable } from '../../plugins/errors/kinds.ts'
import type { ProblemError } from '../../plugins/errors/problem.ts'
import { newId } from '../../plugins/ids.ts'
import { fromCents } from '../../plugins/money.ts'
import { isPlaidFailure, type PlaidFailure } from '../../plugins/plaid/index.ts'
import { keepAccounts, refreshAccount } from '../linking/index.ts'
import { findEnd, findEndOfTransfer, isReachedInstantly, isTransferable, type End } from './ends.ts'
import { accountNotTransferable, currencyMismatch, insufficientFunds, railUnavailable, sameAccount, transferDeclined } from './errors.ts'
import { addEvent, applyEvents } from './progress.ts'
import { insertHold, lockFunds } from './queries/funds.ts'
import { insertLeg, listLegs, setLegTaken, type LegRow } from './queries/legs.ts'
import { deletePreparation, insertTransfer, lockTransfer, readTransfer, type TransferRow } from './queries/transfers.ts'
import { chooseRail, debitNetworkOf, estimateSettlement, type Rail } from './rails.ts'
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

const findEnds = async (app: FastifyInstance, wanted: Wanted): Promise<{ from: End; to: End }> => {
  if (wanted.fromAccountId === wanted.toAccountId) throw sameAccount('A transfer needs two different accounts.')
  const viewer = { partnerId: wanted.partnerId, environments: [wanted.environment] }
  const from = await findEnd(app, viewer, wanted.fromAccountId, { legalName: wanted.legalName })
  // Money cannot be pulled from a recipient: only its holder can let go of it.
  if (from?.linked === undefined) throw notFound('There is no such account to send from.', { account_id: wanted.fromAccountId })
  const to = await findEnd(app, viewer, wanted.toAccountId)
  if (to === undefined) throw notFound('There is no such account or recipient to send to.', { account_id: wanted.toAccountId })
  return { from, to }
}

const checkEnds = (ends: End[], currency: string): void => {
  for (const end of ends) {
    if (!isTransferable(end)) throw accountNotTransferable('Money moves between checking and savings accounts only.', { account_id: end.id })
    if (currency !== 'USD' || end.currency !== currency) {
      throw currencyMismatch(`The account holds ${end.currency ?? 'an unknown currency'}; transfers are in USD.`, { account_id: end.id, currency })
    }
  }
}

/** What the bank says is there, in cents; null when it says nothing, and Plaid's own examination has to do. */
const readAvailable = async (app: FastifyInstance, from: End): Promise<number | null> => {
  if (from.linked === undefined) return null
  const fresh = await refreshAccount(app, from.linked)
  if (fresh === undefined) throw notFound('There is no such account to send from.', { account_id: from.id })
  return fresh.available_balance_cents ?? fresh.current_balance_cents
}

const hold = async (trx: Trx, transfer: TransferRow, availableCents: number | null, now: Date): Promise<void> => {
  const heldCents = await lockFunds(trx, transfer.from_account_id)
  if (availableCents !== null && availableCents - heldCents < transfer.amount_cents) {
    const available = fromCents(Math.max(0, availableCents - heldCents))
    throw insufficientFunds(`The account has ${available.toFixed(2)} left for transfers.`, { available, required: fromCents(transfer.amount_cents) })
  }
  await insertHold(trx, { transferId: transfer.id, accountId: transfer.from_account_id, amountCents: transfer.amount_cents, availableCents }, now)
}

/**
 * Checks a transfer and prepares it: its row, its debit and the hold of its funds, in a transaction of their own, so that a crash during the calls to
 * Plaid leaves a trace from which it can be finished or undone. Nobody sees it yet.
 *
 * @throws ProblemError 404 or 422 with what is wrong with it
 */
export const prepareTransfer = async (app: FastifyInstance, wanted: Wanted): Promise<TransferRow> => {
  const { from, to } = await findEnds(app, wanted)
  checkEnds([from, to], wanted.currency)
  const availableCents = await readAvailable(app, from)
  const now = app.clock.now()
  const movement = { amountCents: wanted.amountCents, at: now, instantReach: isReachedInstantly(from) && isReachedInstantly(to) }
  const { rail, refusal } = chooseRail(movement, wanted.rail)
  if (refusal !== undefined) throw railUnavailable(refusal, { rail })
  const debitNetwork = debitNetworkOf(rail, movement)
  return await transact(app.database.db, async (trx) => {
    const linked = [from, to].flatMap((end) => (end.linked === undefined ? [] : [end.linked]))
    if (!(await keepAccounts(trx, linked, now))) throw notFound('An account of the transfer is being deleted.')
    const transfer = await insertTransfer(trx, {
      id: newId('tfr'),
      partner_id: wanted.partnerId,
      environment: wanted.environment,
      request_key: wanted.requestKey,
      user_id: from.userId ?? '',
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
    })
    await hold(trx, transfer, availableCents, now)
    await insertLeg(trx, { transferId: transfer.id, amountCents: transfer.amount_cents, kind: 'debit', network: debitNetwork }, now)
    return transfer
  })
}

const declined = ({ code, description, loginRequired }: Refusal): ProblemError => {
  const detail = loginRequired
    ? 'The login at the bank needs its owner: open Link in update mode, then try again.'
    : `Plaid declined the transfer: ${description}`
  return transferDeclined(detail, { reason: code, reason_description: description })
}

const refusedProblem = (error: PlaidFailure, transfer: TransferRow): ProblemError => {
  if (error.errorCode === 'TRANSFER_UNSUPPORTED_ACCOUNT_TYPE') {
    return accountNotTransferable('Plaid does not move money from this kind of account.', { account_id: transfer.from_account_id })
  }
  if (error.errorType === 'ITEM_ERROR') return declined({ code: error.errorCode, description: 'The bank’s login does not work.', loginRequired: true })
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
export const sendDebit = async (app: FastifyInstance, transfer: TransferRow): Promise<string> => {
  const { db } = app.database
  const debit = await readDebit(app, transfer.id)
  if (debit !== undefined && debit.plaid_transfer_id !== null) return debit.plaid_transfer_id
  const from = await findEndOfTransfer(app, transfer, 'from')
  if (debit === undefined || from === undefined) throw notFound('There is no such account to send from.', { account_id: transfer.from_account_id })
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
 * @throws ProblemError 502 when the preparation was given up meanwhile
 */
export const submitTransfer = async (app: FastifyInstance, trx: Trx, transferId: string, plaidTransferId: string): Promise<TransferRow> => {
  const transfer = await lockTransfer(trx, transferId)
  if (transfer === undefined) throw upstreamUnavailable('The transfer took too long and was given up; no money has moved. Try again.')
  if (transfer.state !== 'preparing') return transfer
  const [debit] = await listLegs(trx, transferId)
  if (debit === undefined) throw new Error(`The transfer ${transferId} has no debit.`)
  await setLegTaken(trx, debit.id, plaidTransferId)
  await addEvent(app, trx, transfer, 'submitted', null)
  await applyEvents(app, trx, transferId)
  return (await readTransfer(trx, transferId)) ?? transfer
}
