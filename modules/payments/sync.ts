import type { FastifyInstance } from 'fastify'
import type { TransferEvent } from 'plaid'
import type { Environment } from '../../plugins/access/caller.ts'
import { transact } from '../../plugins/database/transaction.ts'
import type { Trx } from '../../plugins/database/types.ts'
import { ProblemError } from '../../plugins/http/errors/problem.ts'
import { PlaidFailure } from '../../plugins/plaid/index.ts'
import { findEndOfTransfer } from './ends.ts'
import { isLegStatus } from './leg-states.ts'
import { applyEvents, moveLeg } from './progress.ts'
import { listLegs, listWantedLegs, postponeLeg, setLegTaken, type LegRow } from './queries/legs.ts'
import {
  advancePosition,
  forgetOldPlaidEvents,
  insertPlaidEvents,
  listTransfersWithEvents,
  readPosition
} from './queries/plaid-events.ts'
import { hasRecentTransfers, lockTransfer, readTransfer, type TransferRow } from './queries/transfers.ts'
import { cancelAtPlaid, recallPayments } from './recall.ts'
import { findTaken, sendLeg, type SendResult } from './send.ts'

const pageSize = 500
const mostPages = 100
const batch = 200
const mostRounds = 50
const dayMs = 86_400_000
/** A bank can take a debit back for 60 days after it has settled; a little more than that. */
const watchedMs = 90 * dayMs
const retryAfterMs = 30_000

/** One Plaid with its own sequence of events: one for both environments, or one for each. */
interface Source {
  name: string
  environments: Environment[]
}

const sourcesOf = ({ plaid, config }: FastifyInstance): Source[] =>
  plaid.environments.map((environments) => ({ name: `${config.plaid.mode} ${environments.join(' ')}`, environments }))

/** A reason as partners read it: the network's code where there is one, and its text. */
const reasonOf = ({ failure_reason: failure }: TransferEvent): string | null => {
  if (failure === null || failure === undefined) return null
  const code = failure.failure_code ?? failure.ach_return_code
  const text = failure.description ?? ''
  return code === null || code === undefined ? text : `${code}: ${text}`
}

/** Stores the events that come after the last one stored; of several syncs from one position one is stored. */
const fetchEvents = async (
  app: FastifyInstance,
  { name, environments: [environment = 'test'] }: Source
): Promise<void> => {
  for (let page = 0; page < mostPages; page++) {
    const position = await readPosition(app.database.db, name)
    const { transfer_events: events, has_more: hasMore } = await app.plaid
      .in(environment)
      .call((api) => api.transferEventSync({ after_id: position, count: pageSize }), { repeatable: true })
    if (events.length === 0) return
    const last = Math.max(...events.map(({ event_id }) => event_id))
    const rows = events
      .filter(({ event_type }) => isLegStatus(event_type))
      .map((event) => ({
        source: name,
        event_id: event.event_id,
        plaid_transfer_id: event.transfer_id,
        type: event.event_type,
        reason: reasonOf(event),
        received_at: app.clock.now()
      }))
    const moved = await transact(app.database.db, async (trx) => {
      if (!(await advancePosition(trx, name, position, last))) return false
      await insertPlaidEvents(trx, rows)
      return true
    })
    if (moved && !hasMore) return
  }
}

const applyStored = async (app: FastifyInstance): Promise<void> => {
  for (let round = 0; round < mostRounds; round++) {
    const ids = await listTransfersWithEvents(app.database.db, batch)
    if (ids.length === 0) return
    for (const id of ids) await transact(app.database.db, (trx) => applyEvents(app, trx, id))
  }
}

/** A refusal, unless an earlier try was taken and its answer lost: then that payment is on its way, and must not be paid back. */
const refusedUnlessTaken = async (
  app: FastifyInstance,
  transfer: TransferRow,
  leg: LegRow,
  code: string,
  description: string
): Promise<SendResult> => {
  const plaidTransferId = await findTaken(app, transfer, leg.id)
  return plaidTransferId === undefined ? { refused: { code, description, loginRequired: false } } : { plaidTransferId }
}

const send = async (app: FastifyInstance, transfer: TransferRow, leg: LegRow): Promise<SendResult> => {
  const end = await findEndOfTransfer(app, transfer, leg.kind === 'credit' ? 'to' : 'from')
  if (end === undefined)
    return await refusedUnlessTaken(app, transfer, leg, 'ACCOUNT_UNLINKED', 'The account is not linked any more.')
  try {
    return await sendLeg(app, transfer, leg, end)
  } catch (error) {
    // Wrong keys and what a proxy answers are no decision on the payment: it is tried again later.
    if (
      !(error instanceof PlaidFailure) ||
      error.errorCode === 'INVALID_API_KEYS' ||
      error.errorCode.startsWith('HTTP_')
    )
      throw error
    return await refusedUnlessTaken(app, transfer, leg, error.errorCode, 'Plaid refused the payment.')
  }
}

/** Notes that Plaid has the leg. @returns false when another sync came to the end of it meanwhile, and this payment is one too many */
const noteSent = async (app: FastifyInstance, trx: Trx, leg: LegRow, plaidTransferId: string): Promise<boolean> => {
  if (await setLegTaken(trx, leg.id, plaidTransferId)) {
    await applyEvents(app, trx, leg.transfer_id)
    return true
  }
  return (await listLegs(trx, leg.transfer_id)).find(({ id }) => id === leg.id)?.plaid_transfer_id === plaidTransferId
}

/** Takes back a payment that went out after its leg had come to an end. */
const takeBack = async (
  app: FastifyInstance,
  { environment }: TransferRow,
  leg: LegRow,
  plaidTransferId: string
): Promise<void> => {
  if (await cancelAtPlaid(app, environment, plaidTransferId)) return
  app.log.error(
    { transferId: leg.transfer_id, leg: leg.kind, plaidTransferId },
    'a payment went out that was not wanted any more, and cannot be called off'
  )
}

/** Hands a credit or a refund to Plaid and notes what became of it. A Plaid that does not answer is asked again later. */
const sendWanted = async (app: FastifyInstance, leg: LegRow): Promise<void> => {
  const { db } = app.database
  const transfer = await readTransfer(db, leg.transfer_id)
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
    if ('plaidTransferId' in result) return await noteSent(app, trx, leg, result.plaidTransferId)
    const present = (await listLegs(trx, transfer.id)).find(({ id }) => id === leg.id)
    const { code, description } = result.refused
    if (present?.status === 'wanted') await moveLeg(app, trx, transfer.id, present, 'failed', `${code}: ${description}`)
    return true
  })
  if (!isExpected && 'plaidTransferId' in result) await takeBack(app, transfer, leg, result.plaidTransferId)
}

const sendAllWanted = async (app: FastifyInstance): Promise<void> => {
  for (let round = 0; round < mostRounds; round++) {
    const legs = await listWantedLegs(app.database.db, app.clock.now(), batch)
    if (legs.length === 0) return
    for (const leg of legs) await sendWanted(app, leg)
  }
}

/** Brings every transfer to where Plaid's events say it is, and sends what follows from them. Any number of these may run at a time. */
export const syncTransfers = async (app: FastifyInstance): Promise<void> => {
  const now = app.clock.now().getTime()
  for (const source of sourcesOf(app)) {
    if (await hasRecentTransfers(app.database.db, source.environments, new Date(now - watchedMs)))
      await fetchEvents(app, source)
  }
  await applyStored(app)
  await sendAllWanted(app)
  await recallPayments(app)
}

/** Lets go of events that are too old to be of use. */
export const forgetOldEvents = async (app: FastifyInstance): Promise<void> =>
  await forgetOldPlaidEvents(app.database.db, new Date(app.clock.now().getTime() - 2 * watchedMs))
