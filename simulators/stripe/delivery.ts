import { sql } from 'kysely'
import type { SimulatorContext } from './context.ts'
import { copiesOf } from './faults.ts'
import { unixSeconds } from './session-objects.ts'
import { signatureHeader } from './signature.ts'
import type { EventRow } from './tables.ts'

/** Delays between the attempts of an event. After the last one it stays failed until a restart or a resend. */
const retryDelaysMs = [1_000, 5_000, 30_000, 120_000, 600_000]
const sendTimeoutMs = 10_000
const timerMinMs = 50
const timerMaxMs = 60_000
const maxErrorLength = 500

type DeliveryContext = Omit<SimulatorContext, 'wakeDelivery'>

export interface Delivery {
  /** Runs a round that starts after this call and ends when no event is due. Never rejects. */
  drain(): Promise<void>
  /** Resends undelivered events, failed ones included. */
  resendPending(): Promise<void>
  /** Sends these events now, in this order, whatever their state. */
  sendNow(ids: string[]): Promise<void>
  close(): Promise<void>
}

/**
 * Sends recorded events one at a time, oldest first. A lease on each event lets several instances share the work. When a
 * process dies, another one resends the event after the lease has expired.
 */
export const createDelivery = (context: DeliveryContext): Delivery => {
  const closing = new AbortController()
  let tail: Promise<void> = Promise.resolve()
  let queued: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  const drain = (): Promise<void> => {
    queued ??= tail.then(async () => {
      queued = undefined
      await round(async () => {
        for (let event = await claimDue(context); event !== undefined; event = await claimDue(context)) {
          await deliver(context, event, closing.signal)
          if (closing.signal.aborted) return
        }
        arm(await nextDueAt(context))
      })
    })
    tail = queued
    return queued
  }

  const round = async (work: () => Promise<void>): Promise<void> => {
    if (closing.signal.aborted) return
    try {
      await work()
    } catch (error) {
      context.logger?.error(error, 'stripe simulator: a round of deliveries failed')
    }
  }

  const arm = (dueAt: Date | undefined): void => {
    clearTimeout(timer)
    if (dueAt === undefined || closing.signal.aborted) return
    const delayMs = dueAt.getTime() - context.clock.now().getTime()
    timer = setTimeout(
      () => {
        void drain()
      },
      Math.max(timerMinMs, Math.min(timerMaxMs, delayMs))
    )
    timer.unref()
  }

  return {
    drain,
    async resendPending() {
      const now = context.clock.now()
      await context.db
        .updateTable('simulators.stripe_event_log')
        .set({ state: 'pending', attempts: 0, next_attempt_at: now })
        .where('state', 'in', ['pending', 'failed'])
        .where((eb) => eb.or([eb('leased_until', 'is', null), eb('leased_until', '<=', now)]))
        .execute()
      await drain()
    },
    async sendNow(ids) {
      for (const id of ids) {
        const event = await lease(context, sql`id = ${id}`)
        if (event !== undefined) await deliver(context, event, closing.signal)
      }
      void drain()
    },
    async close() {
      closing.abort()
      clearTimeout(timer)
      await tail
    }
  }
}

const leaseMs = (context: Pick<SimulatorContext, 'faults'>): number => (copiesOf(context.faults) + 1) * sendTimeoutMs

const claimDue = async (context: DeliveryContext): Promise<EventRow | undefined> => {
  const now = context.clock.now()
  const order = context.faults.reorder === true ? sql`desc` : sql`asc`
  return await lease(
    context,
    sql`id = (
    select id from simulators.stripe_event_log
    where state = 'pending' and next_attempt_at <= ${now} and (leased_until is null or leased_until <= ${now})
    order by sequence ${order} limit 1 for update skip locked)`
  )
}

const lease = async (context: DeliveryContext, which: ReturnType<typeof sql>): Promise<EventRow | undefined> => {
  const until = new Date(context.clock.now().getTime() + leaseMs(context))
  return await context.db
    .updateTable('simulators.stripe_event_log')
    .set({ leased_until: until, attempts: sql`attempts + 1` })
    .where(sql<boolean>`${which}`)
    .returningAll()
    .executeTakeFirst()
}

const nextDueAt = async (context: DeliveryContext): Promise<Date | undefined> => {
  const row = await context.db
    .selectFrom('simulators.stripe_event_log')
    .select(sql<Date | null>`min(greatest(next_attempt_at, coalesce(leased_until, next_attempt_at)))`.as('due'))
    .where('state', '=', sql.lit('pending'))
    .executeTakeFirst()
  return row?.due ?? undefined
}

const deliver = async (context: DeliveryContext, event: EventRow, closing: AbortSignal): Promise<void> => {
  const error = await sendCopies(context, event, closing)
  // A send that this process aborted is not an attempt: the next start finds the event unchanged.
  const attempts = closing.aborted && error !== undefined ? event.attempts - 1 : event.attempts
  const retryMs = closing.aborted ? 0 : retryDelaysMs[attempts - 1]
  const now = context.clock.now()
  await context.db
    .updateTable('simulators.stripe_event_log')
    .set({
      state: error === undefined ? 'delivered' : retryMs === undefined ? 'failed' : 'pending',
      attempts,
      next_attempt_at: new Date(now.getTime() + (retryMs ?? 0)),
      leased_until: null,
      last_error: error?.slice(0, maxErrorLength) ?? null
    })
    .where('id', '=', event.id)
    .execute()
}

/** Sends as many copies as the faults demand. @returns the error of the first refused copy */
const sendCopies = async (
  context: DeliveryContext,
  event: EventRow,
  closing: AbortSignal
): Promise<string | undefined> => {
  const copies = Array.from({ length: copiesOf(context.faults) })
  if (context.faults.duplicatesAtOnce === true) {
    const results = await Promise.all(copies.map(async () => await send(context, event, closing)))
    return results.find((error) => error !== undefined)
  }
  let failed: string | undefined
  for (const _ of copies) failed ??= await send(context, event, closing)
  return failed
}

const send = async (context: DeliveryContext, event: EventRow, closing: AbortSignal): Promise<string | undefined> => {
  try {
    const response = await context.fetch(context.webhookUrl(), {
      method: 'POST',
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        'stripe-signature': signatureHeader(context.webhookSecret, event.body, unixSeconds(context.clock.now()))
      },
      body: event.body,
      redirect: 'manual',
      signal: AbortSignal.any([closing, AbortSignal.timeout(sendTimeoutMs)])
    })
    await response.body?.cancel()
    return response.ok ? undefined : `The endpoint responded with ${response.status}.`
  } catch (error) {
    return error instanceof Error
      ? `${error.message}${error.cause instanceof Error ? `: ${error.cause.message}` : ''}`
      : String(error)
  }
}
