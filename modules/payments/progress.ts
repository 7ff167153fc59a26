import type { FastifyInstance } from 'fastify'
import type { Trx } from '../../plugins/database/types.ts'
import { legSteps, type LegStatus } from './leg-states.ts'
import { releaseHold } from './queries/funds.ts'
import { callOffUnauthorized, insertLeg, listLegs, setLegStatus, type LegRow } from './queries/legs.ts'
import { listOpenEvents, markApplied } from './queries/plaid-events.ts'
import { insertEvent, lockTransfer, readTransfer, type TransferRow } from './queries/transfers.ts'
import { networkOf, type Network } from './rails.ts'
import { transferSteps, wayBetween, type TransferState } from './transfer-states.ts'

const hourMs = 3_600_000
/** How often money that could not be brought back is tried again, each time after four times as long: the last time after a week and a half. */
const mostRefunds = 6

const noWay = (what: string, from: string, to: string) => new Error(`${what} cannot go from ${from} to ${to}.`)

/** Tells the partner of one event of a transfer, in the event's own transaction. */
export const tellOf = async (
  app: FastifyInstance,
  trx: Trx,
  { id, partner_id: partnerId }: Pick<TransferRow, 'id' | 'partner_id'>,
  state: TransferState
): Promise<void> => {
  await app.outbox.publish(trx, [{ partnerId, type: `transfer.${state}`, data: { transfer_id: id } }])
}

/** Appends one event of a locked transfer, and tells of it. */
const addEvent = async (
  app: FastifyInstance,
  trx: Trx,
  transfer: Pick<TransferRow, 'id' | 'partner_id'>,
  state: TransferState,
  reason: string | null
): Promise<void> => {
  await insertEvent(trx, transfer.id, state, reason, app.clock.now())
  await tellOf(app, trx, transfer, state)
}

/**
 * Brings a locked transfer to a state, through every state on the way.
 * @returns false when no way leads there
 */
export const advanceTo = async (
  app: FastifyInstance,
  trx: Trx,
  transferId: string,
  to: TransferState,
  reason: string | null = null
): Promise<boolean> => {
  const transfer = await readTransfer(trx, transferId)
  if (transfer === undefined || transfer.state === 'preparing') return false
  const way = wayBetween(transferSteps, transfer.state, to)
  if (way === undefined) return false
  for (const state of way) await addEvent(app, trx, transfer, state, state === to ? reason : null)
  return true
}

const wantRefund = async (app: FastifyInstance, trx: Trx, transfer: TransferRow, attempt: number): Promise<void> => {
  const [debit] = await listLegs(trx, transfer.id)
  // A debit that was taken back has brought the money back already.
  if (debit?.status !== 'settled' && debit?.status !== 'funds_available') return
  if (attempt > mostRefunds) {
    const fault =
      'a transfer’s money could not be brought back to its source; it lies in the balance at Plaid until somebody sends it'
    app.log.error({ transferId: transfer.id }, fault)
    return
  }
  const now = app.clock.now()
  // The instant network is tried first, then ACH, which reaches every account.
  const network: Network = transfer.rail === 'rtp' && attempt === 1 ? 'rtp' : 'ach'
  const retryAt = attempt === 1 ? null : new Date(now.getTime() + hourMs * 4 ** (attempt - 2))
  await insertLeg(
    trx,
    { transferId: transfer.id, amountCents: transfer.amount_cents, kind: 'refund', network, attempt, retryAt },
    now
  )
}

const afterDebit = async (
  app: FastifyInstance,
  trx: Trx,
  transfer: TransferRow,
  status: LegStatus,
  reason: string | null
): Promise<boolean> => {
  switch (status) {
    case 'posted':
      return await advanceTo(app, trx, transfer.id, 'posted')
    case 'settled':
      await releaseHold(trx, transfer.id, app.clock.now())
      await insertLeg(
        trx,
        {
          transferId: transfer.id,
          amountCents: transfer.amount_cents,
          kind: 'credit',
          network: networkOf(transfer.rail)
        },
        app.clock.now()
      )
      return true
    case 'failed':
      return await advanceTo(app, trx, transfer.id, 'failed', reason)
    case 'cancelled':
      return await advanceTo(
        app,
        trx,
        transfer.id,
        transfer.state === 'submitted' ? 'cancelled' : 'failed',
        reason ?? 'The debit was cancelled.'
      )
    case 'returned': {
      // What has not gone out does not go out any more; what may have is recalled with the next sync.
      await callOffUnauthorized(trx, transfer.id, 'The debit was returned.')
      return await advanceTo(app, trx, transfer.id, 'returned', reason)
    }
    default:
      return true
  }
}

const afterCredit = async (
  app: FastifyInstance,
  trx: Trx,
  transfer: TransferRow,
  status: LegStatus
): Promise<boolean> => {
  if (status === 'settled') return await advanceTo(app, trx, transfer.id, 'settled')
  const cameToNothing = status === 'failed' || status === 'returned' || status === 'cancelled'
  if (cameToNothing) await wantRefund(app, trx, transfer, 1)
  return true
}

const afterRefund = async (
  app: FastifyInstance,
  trx: Trx,
  transfer: TransferRow,
  leg: LegRow,
  status: LegStatus
): Promise<boolean> => {
  if (status === 'settled') {
    const credit = (await listLegs(trx, transfer.id)).find(({ kind }) => kind === 'credit')
    return await advanceTo(app, trx, transfer.id, 'returned', credit?.reason ?? 'The credit failed.')
  }
  if (status === 'failed' || status === 'returned' || status === 'cancelled')
    await wantRefund(app, trx, transfer, leg.attempt + 1)
  return true
}

/**
 * Moves one leg of a locked transfer to a status, through every status on the way, and does what follows from each.
 * @throws Error when no way leads there, for the leg or for its transfer
 */
export const moveLeg = async (
  app: FastifyInstance,
  trx: Trx,
  transferId: string,
  leg: LegRow,
  to: LegStatus,
  reason: string | null
): Promise<void> => {
  const way = wayBetween(legSteps, leg.status, to)
  if (way === undefined) throw noWay(`The ${leg.kind} ${leg.id}`, leg.status, to)
  for (const status of way) {
    const transfer = await readTransfer(trx, transferId)
    if (transfer === undefined) throw new Error(`There is no transfer ${transferId}.`)
    await setLegStatus(trx, leg.id, status, status === to ? (reason ?? leg.reason) : leg.reason)
    const followed =
      leg.kind === 'debit'
        ? await afterDebit(app, trx, transfer, status, reason)
        : leg.kind === 'credit'
          ? await afterCredit(app, trx, transfer, status)
          : await afterRefund(app, trx, transfer, leg, status)
    if (!followed)
      app.log.error(
        { transferId, leg: leg.kind, status, state: transfer.state },
        'a leg went where its transfer could not follow'
      )
  }
}

/** Applies Plaid's events of one transfer that have come in, each exactly once and in order. */
export const applyEvents = async (app: FastifyInstance, trx: Trx, transferId: string): Promise<void> => {
  const transfer = await lockTransfer(trx, transferId)
  if (transfer === undefined || transfer.state === 'preparing') return
  for (const event of await listOpenEvents(trx, transferId)) {
    await markApplied(trx, event, app.clock.now())
    const leg = (await listLegs(trx, transferId)).find(({ id }) => id === event.leg_id)
    if (leg === undefined || leg.status === event.type) continue
    if (wayBetween(legSteps, leg.status, event.type) === undefined) {
      app.log.error(
        { transferId, leg: leg.kind, status: leg.status, event: event.type },
        'Plaid told of a step that its own rules do not allow; it is left out'
      )
      continue
    }
    await moveLeg(app, trx, transferId, leg, event.type, event.reason)
  }
}
