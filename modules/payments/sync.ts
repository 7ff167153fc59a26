import type { FastifyInstance } from 'fastify'
import type { TransferEvent } from 'plaid'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { PlaidFailure } from '../../plugins/plaid/index.ts'
import { findEndOfTransfer, type EndsContext } from './ends.ts'
import { isLegStatus } from './leg-states.ts'
import { applyEvents, moveLeg, type Progress } from './progress.ts'
import { findLeg, listWantedLegs, postponeLeg, setLegAccepted, type Leg } from './queries/legs.ts'
import { advancePosition, insertPlaidEvents, listTransfersWithEvents, readPosition } from './queries/plaid-events.ts'
import { hasRecentTransfers, lockTransfer, readTransfer, type Transfer } from './queries/transfers.ts'
import { cancelAtPlaid, recallPayments } from './recall.ts'
import { findAccepted, sendLeg, type Sending, type SendResult } from './send.ts'

export type Sync = Sending & Progress & EndsContext & Pick<FastifyInstance, 'config'>

const pageSize = 500
const mostPages = 100
const batch = 200
const mostRounds = 50
const dayMs = 86_400_000
/** A bank can return a debit for 60 days after it settled; this leaves a margin. */
export const watchedMs = 90 * dayMs
const retryAfterMs = 30_000

/** The reason that partners see: the network's code, where there is one, and its text. */
const reasonOf = ({ failure_reason: failure }: TransferEvent): string | null => {
  if (failure === null || failure === undefined) return null
  const code = failure.failure_code ?? failure.ach_return_code
  const text = failure.description ?? ''
  return code === null || code === undefined ? text : `${code}: ${text}`
}

/** Stores the events after the last stored one. Of several syncs from one position only one stores its events. */
const fetchEvents = async (app: Sync, source: string, environment: Environment): Promise<void> => {
  for (let page = 0; page < mostPages; page++) {
    const position = await readPosition(app.database.db, source)
    const { transfer_events: events, has_more: hasMore } = await app.plaid
      .in(environment)
      .call((api) => api.transferEventSync({ after_id: position, count: pageSize }), { repeatable: true })
    if (events.length === 0) return
    const last = Math.max(...events.map(({ event_id }) => event_id))
    const steps = events.flatMap((event) => {
      const { event_id: eventId, transfer_id: plaidTransferId, event_type: type } = event
      if (!isLegStatus(type)) return []
      return { source, eventId, plaidTransferId, type, reason: reasonOf(event), receivedAt: app.clock.now() }
    })
    const hasMoved = await transact(app.database.db, async (trx) => {
      if (!(await advancePosition(trx, source, position, last))) return false
      await insertPlaidEvents(trx, steps)
      return true
    })
    if (hasMoved && !hasMore) return
  }
}

const applyStored = async (app: Sync): Promise<void> => {
  for (let round = 0; round < mostRounds; round++) {
    const ids = await listTransfersWithEvents(app.database.db, batch)
    if (ids.length === 0) return
    for (const id of ids) await transact(app.database.db, (trx) => applyEvents(app, trx, id))
  }
}

/** A refusal, unless Plaid accepted an earlier attempt whose response was lost: that payment is under way and must not be refunded. */
const refusedUnlessAccepted = async (
  app: Sync,
  transfer: Transfer,
  leg: Leg,
  code: string,
  description: string
): Promise<SendResult> => {
  const plaidTransferId = await findAccepted(app, transfer, leg.id)
  return plaidTransferId === undefined ? { refused: { code, description, loginRequired: false } } : { plaidTransferId }
}

const send = async (app: Sync, transfer: Transfer, leg: Leg): Promise<SendResult> => {
  const end = await findEndOfTransfer(app, transfer, leg.kind === 'credit' ? 'to' : 'from')
  if (end === undefined)
    return await refusedUnlessAccepted(app, transfer, leg, 'ACCOUNT_UNLINKED', 'The account is not linked any more.')
  try {
    return await sendLeg(app, transfer, leg, end)
  } catch (error) {
    // Wrong keys and responses of a proxy are no decision on the payment: a later sync retries.
    if (
      !(error instanceof PlaidFailure) ||
      error.errorCode === 'INVALID_API_KEYS' ||
      error.errorCode.startsWith('HTTP_')
    )
      throw error
    return await refusedUnlessAccepted(app, transfer, leg, error.errorCode, 'Plaid refused the payment.')
  }
}

/** Records that Plaid has accepted the leg. @returns false when another sync ended the leg meanwhile, so that this payment is one too many */
const recordSent = async (app: Sync, trx: Trx, leg: Leg, plaidTransferId: string): Promise<boolean> => {
  if (await setLegAccepted(trx, leg.id, plaidTransferId)) {
    await applyEvents(app, trx, leg.transferId)
    return true
  }
  return (await findLeg(trx, leg.transferId, leg.id))?.plaidTransferId === plaidTransferId
}

/** Cancels a payment that was sent after its leg had ended. */
const cancelExcess = async (app: Sync, { environment }: Transfer, leg: Leg, plaidTransferId: string): Promise<void> => {
  if (await cancelAtPlaid(app, environment, plaidTransferId)) return
  app.log.error(
    { transferId: leg.transferId, leg: leg.kind, plaidTransferId },
    'a payment was sent after its leg had ended, and cannot be cancelled'
  )
}

/** Sends a credit or a refund to Plaid and records the outcome. A later sync retries when Plaid does not respond. */
const sendWanted = async (app: Sync, leg: Leg): Promise<void> => {
  const { db } = app.database
  const transfer = await readTransfer(db, leg.transferId)
  if (transfer === undefined) return
  let result: SendResult
  try {
    result = await send(app, transfer, leg)
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    await postponeLeg(db, leg.id, new Date(app.clock.now().getTime() + retryAfterMs))
    return
  }
  const isExpected = await transact(db, async (trx) => {
    await lockTransfer(trx, transfer.id)
    if ('plaidTransferId' in result) return await recordSent(app, trx, leg, result.plaidTransferId)
    const present = await findLeg(trx, transfer.id, leg.id)
    const { code, description } = result.refused
    if (present?.status === 'wanted') await moveLeg(app, trx, transfer.id, present, 'failed', `${code}: ${description}`)
    return true
  })
  if (!isExpected && 'plaidTransferId' in result) await cancelExcess(app, transfer, leg, result.plaidTransferId)
}

const sendAllWanted = async (app: Sync): Promise<void> => {
  for (let round = 0; round < mostRounds; round++) {
    const legs = await listWantedLegs(app.database.db, app.clock.now(), batch)
    if (legs.length === 0) return
    for (const leg of legs) await sendWanted(app, leg)
  }
}

/** Applies Plaid's events to every transfer and sends the payments that follow. Several syncs may run concurrently. */
export const syncTransfers = async (app: Sync): Promise<void> => {
  const watchedSince = new Date(app.clock.now().getTime() - watchedMs)
  // Each Plaid has its own sequence of events: shared by both environments, or one for each.
  for (const environments of app.plaid.environments) {
    if (await hasRecentTransfers(app.database.db, environments, watchedSince))
      await fetchEvents(app, `${app.config.plaid.mode} ${environments.join(' ')}`, environments[0] ?? 'test')
  }
  await applyStored(app)
  await sendAllWanted(app)
  await recallPayments(app)
}
