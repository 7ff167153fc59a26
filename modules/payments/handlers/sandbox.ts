import type { FastifyInstance } from 'fastify'
import { transact } from '../../../plugins/database/transaction.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { isPlaidFailure } from '../../../plugins/plaid/index.ts'
import type { operations } from '../../../spec/generated/payments.ts'
import { illegalTransition } from '../errors.ts'
import type { LegKind } from '../leg-states.ts'
import { advanceTo } from '../progress.ts'
import { listLegs, type LegRow } from '../queries/legs.ts'
import { lockTransfer, type SubmittedTransfer } from '../queries/transfers.ts'
import { nextSimulatedStep, type LegEvent, type SimulatedEvent } from '../simulation.ts'
import { syncTransfers } from '../sync.ts'
import { isLegalStep } from '../transfer-states.ts'
import { requireTransfer, showTransfer } from './transfers.ts'

/** A debit, a credit and a refund with two steps each, and as many again for what moves by itself meanwhile. */
const mostSteps = 12

const illegal = (state: string, event: string) =>
  illegalTransition(`A transfer that is ${state} cannot become ${event}.`, { state, event })
const illegalLeg = (leg: LegKind, status: string, event: string) =>
  illegalTransition(`The ${leg} is ${status} and cannot become ${event}.`, { leg, state: status, event })

/** Lets Plaid's sandbox take one step. @returns false when the leg's status does not allow it */
const stepAtPlaid = async (app: FastifyInstance, leg: LegRow, event: LegEvent): Promise<boolean> => {
  const transfer_id = leg.plaid_transfer_id
  if (transfer_id === null) return false
  try {
    await app.plaid
      .in('test')
      .call((api) => api.sandboxTransferSimulate({ transfer_id, event_type: event }), { repeatable: false })
    return true
  } catch (error) {
    if (isPlaidFailure(error, 'SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID')) return false
    throw error
  }
}

/** Takes the steps at Plaid that bring a transfer as a whole to a state. */
const simulateTransfer = async (
  app: FastifyInstance,
  transfer: SubmittedTransfer,
  event: Exclude<SimulatedEvent, 'pending'>,
  partnerId: string
): Promise<void> => {
  const { db } = app.database
  const viewer = { partnerId, environments: [transfer.environment] }
  if (!isLegalStep(transfer.state, event) || transfer.state === 'settled') throw illegal(transfer.state, event)
  for (let step = 0; step < mostSteps; step++) {
    const present = await requireTransfer(db, viewer, transfer.id)
    if (present.state === event) return
    const next = nextSimulatedStep(await listLegs(db, transfer.id), event)
    if (next === 'impossible') throw illegal(present.state, event)
    // A leg that Plaid has not been given yet goes there with the sync.
    if (next !== 'wait') await stepAtPlaid(app, next.leg, next.event)
    await syncTransfers(app)
  }
  throw illegal((await requireTransfer(db, viewer, transfer.id)).state, event)
}

const simulateLeg = async (
  app: FastifyInstance,
  transferId: string,
  kind: LegKind,
  event: SimulatedEvent
): Promise<void> => {
  const leg = (await listLegs(app.database.db, transferId)).filter((candidate) => candidate.kind === kind).at(-1)
  if (leg === undefined || event === 'pending' || !(await stepAtPlaid(app, leg, event)))
    throw illegalLeg(kind, leg?.status ?? 'not begun', event)
  await syncTransfers(app)
}

/** The wait for the network is our own state: Plaid has no event for it. */
const simulatePending = async (app: FastifyInstance, transferId: string): Promise<void> =>
  await transact(app.database.db, async (trx) => {
    const state = (await lockTransfer(trx, transferId))?.state
    if (state !== 'submitted') throw illegal(state ?? 'gone', 'pending')
    await advanceTo(app, trx, transferId, 'pending')
  })

export const sandboxHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'simulateTransferEvent'> => ({
  async simulateTransferEvent({ params, body, caller, db }) {
    const viewer = { partnerId: caller.partnerId, environments: ['test' as const] }
    await requireTransfer(db, viewer, params.id)
    // What Plaid has told already comes first, so that the step is judged by what is.
    await syncTransfers(app)
    const transfer = await requireTransfer(db, viewer, params.id)
    if (body.leg !== undefined) await simulateLeg(app, transfer.id, body.leg, body.event)
    else if (body.event === 'pending') await simulatePending(app, transfer.id)
    else await simulateTransfer(app, transfer, body.event, caller.partnerId)
    return async (trx) => await showTransfer(trx, viewer, transfer.id)
  }
})
