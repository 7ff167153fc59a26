import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Dispatcher } from 'undici'
import type { Carrier } from '../../plugins/events/outbox.ts'
import { newId } from '../../plugins/ids.ts'
import { deliverToEndpoint, leaseMs, type DeliveryDependencies } from './delivery.ts'
import { publishEvents } from './events.ts'
import { endAllLeases, leaseEndpoints } from './queries/worker.ts'

/** How often an idle worker looks for due retries and for work that other instances left. */
const pollIntervalMs = 1_000
/** Batches commits that follow each other closely. */
const batchDelayMs = 50
/** The number of endpoints that one instance delivers to concurrently. */
const maxConcurrentEndpoints = 32

export interface DeliveryWorker extends Carrier {
  start(): void
  /** Takes no new leases and waits for the attempts in progress. */
  stop(): Promise<void>
}

type Dependencies = DeliveryDependencies & Pick<FastifyInstance, 'log'>

/** Delivers to endpoints concurrently, up to the limit of one instance. */
const createDeliveryPool = (app: Dependencies, dispatcher: Dispatcher, onEndpointDone: () => void) => {
  const running = new Set<Promise<void>>()
  let isStopping = false

  const deliver = (webhookId: string, lease: string): void => {
    const delivery = deliverToEndpoint(app, dispatcher, { webhookId, lease }, () => isStopping)
      .catch((error: unknown) =>
        app.log.error({ err: error, webhookId }, 'deliveries to an endpoint failed; they resume when its lease expires')
      )
      .finally(() => {
        running.delete(delivery)
        onEndpointDone()
      })
    running.add(delivery)
  }

  return {
    isIdle: () => running.size === 0,
    /** Leases endpoints with due deliveries and starts delivering to them. @returns how many. */
    async startDue(): Promise<number> {
      const free = maxConcurrentEndpoints - running.size
      if (isStopping || free <= 0) return 0
      const lease = newId('lease')
      const endpoints = await leaseEndpoints(app.database.db, lease, leaseMs, free, app.clock.now())
      for (const webhookId of endpoints) deliver(webhookId, lease)
      return endpoints.length
    },
    stopLeasing(): void {
      isStopping = true
    },
    async finished(): Promise<void> {
      await Promise.all(running)
    }
  }
}

/** Sleeps for the poll interval, or until it is woken. */
const createAlarm = () => {
  let isWoken = false
  let ring: (() => void) | undefined
  return {
    wake: (): void => {
      isWoken = true
      ring?.()
    },
    reset(): void {
      isWoken = false
    },
    /** @returns whether it was woken since the last reset. */
    async sleep(): Promise<boolean> {
      if (isWoken) return true
      const rung = new Promise<void>((resolve) => {
        ring = resolve
      })
      const timer = setTimeout(() => ring?.(), pollIntervalMs).unref()
      await rung
      clearTimeout(timer)
      return isWoken
    }
  }
}

/** Publishes events and sends webhook deliveries. Every instance runs one; the database divides the work among them. */
export const createDeliveryWorker = (app: Dependencies, dispatcher: Dispatcher): DeliveryWorker => {
  const alarm = createAlarm()
  // New events of an endpoint that was leased meanwhile have not been looked at, so a finished endpoint starts another round.
  const pool = createDeliveryPool(app, dispatcher, alarm.wake)
  let isStopping = false
  let looping: Promise<void> | undefined
  let lastRound: Promise<unknown> = Promise.resolve()

  const work = async (): Promise<number> => {
    if (!(await app.database.migrated())) return 0
    const published = await publishEvents(app).catch((error: unknown) => ({ error }))
    const started = await pool.startDue()
    // Thrown only now: a failure to publish must not stop the deliveries of published events.
    if (typeof published !== 'number') throw published.error
    return published + started
  }

  /** Runs one round of work at a time. */
  const runRound = (): Promise<number> => {
    const round = lastRound.then(work)
    lastRound = round.catch(() => undefined)
    return round
  }

  const loop = async (): Promise<void> => {
    // An embedded database has only one process, so older leases belong to a dead one.
    let hasStaleLeases = app.database.driver === 'embedded'
    while (!isStopping) {
      alarm.reset()
      try {
        if (hasStaleLeases) await endAllLeases(app.database.db)
        hasStaleLeases = false
        await runRound()
      } catch (error) {
        app.log.error({ err: error }, 'publishing or sending events failed; retrying')
        await delay(pollIntervalMs)
      }
      if (!isStopping && (await alarm.sleep())) await delay(batchDelayMs)
    }
  }

  return {
    wake: alarm.wake,
    start() {
      looping ??= loop()
    },
    async settle() {
      for (;;) {
        const done = await runRound()
        if (done === 0 && pool.isIdle()) return
        await pool.finished()
      }
    },
    async stop() {
      isStopping = true
      pool.stopLeasing()
      alarm.wake()
      await looping
      await pool.finished()
    }
  }
}
