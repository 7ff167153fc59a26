import type { FastifyInstance } from 'fastify'
import { transact } from '../../../plugins/database/transaction.ts'
import type { Handlers } from '../../../plugins/operations/handlers.ts'
import { isPlaidFailure } from '../../../plugins/plaid/index.ts'
import type { operations } from '../../../spec/generated/payments.ts'
import { illegalTransition } from '../errors.ts'
import type { LegKind } from '../leg-states.ts'
import { advanceTo, type Progress } from '../progress.ts'
import { listLegs, type Leg } from '../queries/legs.ts'
import { lockTransfer, type SubmittedTransfer } from '../queries/transfers.ts'
import { nextSimulatedStep, type LegEvent } from '../simulation.ts'
import { syncTransfers, type Sync } from '../sync.ts'
import { isLegalStep } from '../transfer-states.ts'
import { readTransferBody, requireTransfer } from './transfers.ts'

/** Two steps each for a debit, a credit and a refund, and as many again for concurrent progress. */
const mostSteps = 12

/** Simulates one step in Plaid's sandbox. @returns false when the leg's status does not allow it */
const stepAtPlaid = async (
  { plaid }: Pick<FastifyInstance, 'plaid'>,
  { plaidTransferId }: Leg,
  event: LegEvent
): Promise<boolean> => {
  if (plaidTransferId === null) return false
  try {
    await plaid
      .in('test')
      .call((api) => api.sandboxTransferSimulate({ transfer_id: plaidTransferId, event_type: event }), {
        repeatable: false
      })
    return true
  } catch (error) {
    if (isPlaidFailure(error, 'SANDBOX_TRANSFER_EVENT_TRANSITION_INVALID')) return false
    throw error
  }
}

/** Takes the steps at Plaid that bring the whole transfer to a state. */
const simulateTransfer = async (app: Sync, transfer: SubmittedTransfer, event: LegEvent): Promise<void> => {
  const { db } = app.database
  const { id, partnerId, environment, state } = transfer
  const viewer = { partnerId, environments: [environment] }
  if (!isLegalStep(state, event) || state === 'settled') throw illegalTransition(state, event)
  for (let step = 0; step < mostSteps; step++) {
    const present = await requireTransfer(db, viewer, id)
    if (present.state === event) return
    const next = nextSimulatedStep(await listLegs(db, id), event)
    if (next === 'impossible') throw illegalTransition(present.state, event)
    // The sync sends a leg that Plaid does not have yet.
    if (next !== 'wait') await stepAtPlaid(app, next.leg, next.event)
    await syncTransfers(app)
  }
  throw illegalTransition((await requireTransfer(db, viewer, id)).state, event)
}

const simulateLeg = async (
  app: Sync,
  transferId: string,
  kind: LegKind,
  event: LegEvent | 'pending'
): Promise<void> => {
  const leg = (await listLegs(app.database.db, transferId)).filter((candidate) => candidate.kind === kind).at(-1)
  if (leg === undefined || event === 'pending' || !(await stepAtPlaid(app, leg, event)))
    throw illegalTransition(leg?.status ?? 'not begun', event, kind)
  await syncTransfers(app)
}

/** The state `pending` is this server's own: Plaid has no event for it. */
const simulatePending = async (app: Progress & Pick<FastifyInstance, 'database'>, transferId: string): Promise<void> =>
  await transact(app.database.db, async (trx) => {
    const state = (await lockTransfer(trx, transferId))?.state
    if (state !== 'submitted') throw illegalTransition(state ?? 'gone', 'pending')
    await advanceTo(app, trx, transferId, 'pending')
  })

export const sandboxHandlers = (app: FastifyInstance): Pick<Handlers<typeof operations>, 'simulateTransferEvent'> => ({
  async simulateTransferEvent({ params, body, caller, db }) {
    const viewer = { partnerId: caller.partnerId, environments: ['test' as const] }
    await requireTransfer(db, viewer, params.id)
    // Applies pending events first, so that the step is checked against the present state.
    await syncTransfers(app)
    const transfer = await requireTransfer(db, viewer, params.id)
    if (body.leg !== undefined) await simulateLeg(app, transfer.id, body.leg, body.event)
    else if (body.event === 'pending') await simulatePending(app, transfer.id)
    else await simulateTransfer(app, transfer, body.event)
    return async (trx) => await readTransferBody(trx, viewer, transfer.id)
  }
})
