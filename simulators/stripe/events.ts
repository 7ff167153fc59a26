import type { Stripe } from 'stripe'
import type { Trx } from '../../plugins/database/types.ts'
import type { Cause, SimulatorContext } from './context.ts'
import { newId } from './identifiers.ts'
import { unixSeconds } from './session-objects.ts'
import type { EventRow } from './tables.ts'

/** The API version of the `stripe` package. Its type fails to compile when the package changes its version. */
export const apiVersion: typeof Stripe.API_VERSION = '2026-10-28.endive'

export interface NewEvent {
  type: string
  object: object
  previousAttributes?: object
}

/**
 * Records events in the transaction of their cause, so that both commit or neither does. They are sent later, in this order,
 * unless a fault holds or delays them.
 */
export const recordEvents = async (
  context: SimulatorContext,
  trx: Trx,
  cause: Cause,
  events: NewEvent[]
): Promise<void> => {
  const now = context.clock.now()
  for (const event of events) {
    const id = newId('evt_1')
    const data =
      event.previousAttributes === undefined
        ? { object: event.object }
        : { object: event.object, previous_attributes: event.previousAttributes }
    const body = {
      id,
      object: 'event',
      api_version: apiVersion,
      created: unixSeconds(now),
      data,
      livemode: false,
      pending_webhooks: 1,
      request: { id: cause.requestId, idempotency_key: cause.idempotencyKey },
      type: event.type
    }
    await trx
      .insertInto('simulators.stripe_event_log')
      .values({
        id,
        type: event.type,
        // Indented as Stripe's: a receiver that verifies re-serialised JSON instead of the raw body fails here too.
        body: JSON.stringify(body, null, 2),
        state: context.faults.hold === true ? 'held' : 'pending',
        next_attempt_at: new Date(now.getTime() + (context.faults.delayMs ?? 0)),
        created_at: now
      })
      .execute()
  }
}

/** An event as the API shows it, with the current `pending_webhooks`. */
export const eventObject = (row: EventRow): object => {
  const body: unknown = JSON.parse(row.body)
  return { ...(body as object), pending_webhooks: row.state === 'delivered' ? 0 : 1 }
}
