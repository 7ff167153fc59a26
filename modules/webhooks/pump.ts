import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from 'undici'
import { newId } from '../../plugins/ids.ts'
import type { Carrier } from '../../plugins/events/outbox.ts'
import { publishEvents } from './publisher.ts'
import { endAllLeases, leaseEndpoints } from './queries/sending.ts'
import { leaseMs, serveEndpoint } from './sender.ts'

/** How often an idle instance looks for retries that are due and for what other instances left. */
const pollMs = 1_000
/** Commits that come close together are published together. */
const gatherMs = 50
/** Endpoints that one instance sends to at the same time. */
const mostEndpoints = 32

export interface Pump extends Carrier {
  start(): void
  /** Leases nothing more and waits for the attempts under way. */
  stop(): Promise<void>
}

/** The loop of one instance that publishes events and sends deliveries. Every instance has one; the database decides which of them does what. */
export const createPump = (app: FastifyInstance, dispatcher: Dispatcher): Pump => {
  const serving = new Set<Promise<void>>()
  let stopping = false
  let woken = false
  let rouse: (() => void) | undefined
  let looping: Promise<void> | undefined
  let turn: Promise<unknown> = Promise.resolve()

  const wake = (): void => {
    woken = true
    rouse?.()
  }

  const serve = (webhookId: string, lease: string): void => {
    const service = serveEndpoint(app, dispatcher, { webhookId, lease }, () => stopping)
      .catch((error: unknown) =>
        app.log.error(
          { err: error, webhookId },
          'deliveries to an endpoint were interrupted; they go on when its lease ends'
        )
      )
      .finally(() => {
        serving.delete(service)
        // What came for the endpoint while it was leased was nobody's turn.
        wake()
      })
    serving.add(service)
  }

  /** Begins to send to endpoints that have something due. @returns to how many. */
  const serveDue = async (): Promise<number> => {
    const free = mostEndpoints - serving.size
    if (stopping || free <= 0) return 0
    const lease = newId('lease')
    const endpoints = await leaseEndpoints(app.database.db, lease, leaseMs, free, app.clock.now())
    for (const webhookId of endpoints) serve(webhookId, lease)
    return endpoints.length
  }

  const work = async (): Promise<number> => {
    if (!(await app.database.migrated())) return 0
    const publishing = await publishEvents(app).catch((error: unknown) => ({ error }))
    const served = await serveDue()
    // What was published before is sent all the same.
    if (typeof publishing !== 'number') throw publishing.error
    return publishing + served
  }

  /** One round of work at a time. */
  const round = (): Promise<number> => {
    const mine = turn.then(work)
    turn = mine.catch(() => undefined)
    return mine
  }

  const idle = async (): Promise<void> => {
    if (woken || stopping) return
    const roused = new Promise<void>((resolve) => {
      rouse = resolve
    })
    const timer = setTimeout(() => rouse?.(), pollMs).unref()
    await roused
    clearTimeout(timer)
  }

  const loop = async (): Promise<void> => {
    // The embedded database has one process; leases from before its start belong to a dead one.
    let inherited = app.database.driver === 'embedded'
    while (!stopping) {
      woken = false
      try {
        if (inherited) await endAllLeases(app.database.db)
        inherited = false
        await round()
      } catch (error) {
        app.log.error({ err: error }, 'events could not be published or sent; it is tried again')
        await delay(pollMs)
      }
      await idle()
      if (woken) await delay(gatherMs)
    }
  }

  return {
    wake,
    start() {
      looping ??= loop()
    },
    async settle() {
      for (;;) {
        const done = await round()
        if (done === 0 && serving.size === 0) return
        await Promise.all(serving)
      }
    },
    async stop() {
      stopping = true
      wake()
      await looping
      await Promise.all(serving)
    }
  }
}
