import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { legSteps, type LegStatus } from './leg-states.ts'
import { cancelUnauthorized, findDebit, findLeg, insertLeg, listLegs, setLegStatus, type Leg } from './queries/legs.ts'
import { listOpenEvents, markApplied } from './queries/plaid-events.ts'
import { releaseHold } from './queries/preparations.ts'
import { insertEvent, lockTransfer, readTransfer, type Transfer } from './queries/transfers.ts'
import { networkOf } from './rails.ts'
import { pathBetween, transferSteps, type TransferState } from './transfer-states.ts'

export type Progress = Pick<FastifyInstance, 'clock' | 'log' | 'outbox'>

const hourMs = 3_600_000
/** The waits between refunds grow fourfold from one hour, so the last one follows after about a week and a half. */
const mostRefunds = 6

/** Publishes a state of a transfer to its partner. */
export const publishState = async (
  { outbox }: Pick<FastifyInstance, 'outbox'>,
  trx: Trx,
  { id, partnerId, environment }: Pick<Transfer, 'id' | 'partnerId' | 'environment'>,
  state: TransferState
): Promise<void> => {
  await outbox.publish(trx, [{ partnerId, environment, type: `transfer.${state}`, data: { transfer_id: id } }])
}

/**
 * Brings a locked transfer to a state, through every state on the path.
 * @returns false when there is no path
 */
export const advanceTo = async (
  app: Progress,
  trx: Trx,
  transferId: string,
  to: TransferState,
  reason: string | null = null
): Promise<boolean> => {
  const transfer = await readTransfer(trx, transferId)
  if (transfer === undefined || transfer.state === 'preparing') return false
  const path = pathBetween(transferSteps, transfer.state, to)
  if (path === undefined) return false
  for (const state of path) {
    await insertEvent(trx, transferId, state, state === to ? reason : null, app.clock.now())
    await publishState(app, trx, transfer, state)
  }
  return true
}

const requestRefund = async (
  { clock, log }: Progress,
  trx: Trx,
  { id: transferId, amountCents, creditRail }: Transfer,
  attempt: number
): Promise<void> => {
  const debit = await findDebit(trx, transferId)
  // A returned debit has already brought the money back.
  if (debit?.status !== 'settled' && debit?.status !== 'funds_available') return
  if (attempt > mostRefunds) {
    log.error(
      { transferId },
      'all refunds of a transfer failed; its money stays in the balance at Plaid until an operator sends it'
    )
    return
  }
  const now = clock.now()
  // The instant network first, then ACH, which reaches every account.
  const network = creditRail === 'rtp' && attempt === 1 ? 'rtp' : 'ach'
  const retryAt = attempt === 1 ? null : new Date(now.getTime() + hourMs * 4 ** (attempt - 2))
  await insertLeg(trx, { transferId, amountCents, kind: 'refund', network, attempt, retryAt }, now)
}

const afterDebit = async (
  app: Progress,
  trx: Trx,
  { id, amountCents, creditRail, state }: Transfer,
  status: LegStatus,
  reason: string | null
): Promise<boolean> => {
  switch (status) {
    case 'posted':
      return await advanceTo(app, trx, id, 'posted')
    case 'settled': {
      const now = app.clock.now()
      await releaseHold(trx, id, now)
      await insertLeg(trx, { transferId: id, amountCents, kind: 'credit', network: networkOf(creditRail) }, now)
      return true
    }
    case 'failed':
      return await advanceTo(app, trx, id, 'failed', reason)
    case 'cancelled': {
      const ended = state === 'submitted' ? 'cancelled' : 'failed'
      return await advanceTo(app, trx, id, ended, reason ?? 'The debit was cancelled.')
    }
    case 'returned':
      // The next sync recalls the legs that may have been sent.
      await cancelUnauthorized(trx, id, 'The debit was returned.')
      return await advanceTo(app, trx, id, 'returned', reason)
    default:
      return true
  }
}

const hasFailed = (status: LegStatus): boolean => status === 'failed' || status === 'returned' || status === 'cancelled'

const afterCredit = async (app: Progress, trx: Trx, transfer: Transfer, status: LegStatus): Promise<boolean> => {
  if (status === 'settled') return await advanceTo(app, trx, transfer.id, 'settled')
  if (hasFailed(status)) await requestRefund(app, trx, transfer, 1)
  return true
}

const afterRefund = async (
  app: Progress,
  trx: Trx,
  transfer: Transfer,
  leg: Leg,
  status: LegStatus
): Promise<boolean> => {
  if (status === 'settled') {
    const credit = (await listLegs(trx, transfer.id)).find(({ kind }) => kind === 'credit')
    return await advanceTo(app, trx, transfer.id, 'returned', credit?.reason ?? 'The credit failed.')
  }
  if (hasFailed(status)) await requestRefund(app, trx, transfer, leg.attempt + 1)
  return true
}

/**
 * Moves one leg of a locked transfer to a status, through every status on the path, with the consequences of each.
 * @throws Error when there is no path
 */
export const moveLeg = async (
  app: Progress,
  trx: Trx,
  transferId: string,
  leg: Leg,
  to: LegStatus,
  reason: string | null
): Promise<void> => {
  const path = pathBetween(legSteps, leg.status, to)
  if (path === undefined) throw new Error(`The ${leg.kind} ${leg.id} cannot go from ${leg.status} to ${to}.`)
  for (const status of path) {
    const transfer = await readTransfer(trx, transferId)
    if (transfer === undefined) throw new Error(`Transfer ${transferId} does not exist.`)
    await setLegStatus(trx, leg.id, status, status === to ? (reason ?? leg.reason) : leg.reason)
    const hasFollowed =
      leg.kind === 'debit'
        ? await afterDebit(app, trx, transfer, status, reason)
        : leg.kind === 'credit'
          ? await afterCredit(app, trx, transfer, status)
          : await afterRefund(app, trx, transfer, leg, status)
    if (!hasFollowed)
      app.log.error(
        { transferId, leg: leg.kind, status, state: transfer.state },
        'the state of a transfer could not follow its leg'
      )
  }
}

/** Applies the stored Plaid events of one transfer, each exactly once and in order. */
export const applyEvents = async (app: Progress, trx: Trx, transferId: string): Promise<void> => {
  const transfer = await lockTransfer(trx, transferId)
  if (transfer === undefined || transfer.state === 'preparing') return
  for (const event of await listOpenEvents(trx, transferId)) {
    await markApplied(trx, event, app.clock.now())
    const leg = await findLeg(trx, transferId, event.legId)
    if (leg === undefined || leg.status === event.type) continue
    if (pathBetween(legSteps, leg.status, event.type) === undefined) {
      app.log.error(
        { transferId, leg: leg.kind, status: leg.status, event: event.type },
        'ignored an event of Plaid that its own rules do not allow'
      )
      continue
    }
    await moveLeg(app, trx, transferId, leg, event.type, event.reason)
  }
}
