import { setTimeout as delay } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import type { Carrier } from '../../plugins/events/outbox.ts'
import { createDeliveryPool, type PoolDependencies } from './delivery-pool.ts'
import { publishBatchSize, publishEvents } from './events.ts'
import { endAllLeases } from './queries/leases.ts'

/** How often an idle worker looks for due retries and for work that other instances left. */
const pollIntervalMs = 1_000
/** Batches commits that follow each other closely. */
const batchDelayMs = 50

export interface DeliveryWorker extends Carrier {
  start(): void
  /** Takes no new leases and waits for the attempts in progress. */
  stop(): Promise<void>
}

/** What one round of work did. */
interface Round {
  published: number
  started: number
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
export const createDeliveryWorker = (app: PoolDependencies, dispatcher: Dispatcher): DeliveryWorker => {
  const alarm = createAlarm()
  // New events of an endpoint that was leased meanwhile have not been looked at, so a finished endpoint starts another round.
  const pool = createDeliveryPool(app, dispatcher, alarm.wake)
  let isStopping = false
  let looping: Promise<void> | undefined
  let lastRound: Promise<unknown> = Promise.resolve()

  const work = async (): Promise<Round> => {
    if (!(await app.database.migrated())) return { published: 0, started: 0 }
    const published = await publishEvents(app).catch((error: unknown) => ({ error }))
    const started = await pool.startDue()
    // Thrown only now: a failure to publish must not stop the deliveries of published events.
    if (typeof published !== 'number') throw published.error
    return { published, started }
  }

  /** Runs one round of work at a time. */
  const runRound = (): Promise<Round> => {
    const round = lastRound.then(work)
    lastRound = round.catch(() => undefined)
    return round
  }

  const loop = async (): Promise<void> => {
    // An embedded database has only one process, so older leases belong to a dead one.
    let hasStaleLeases = app.database.driver === 'embedded'
    while (!isStopping) {
      alarm.reset()
      let isBehind = false
      try {
        if (hasStaleLeases) await endAllLeases(app.database.db)
        hasStaleLeases = false
        isBehind = (await runRound()).published >= publishBatchSize
      } catch (error) {
        app.log.error({ err: error }, 'publishing or sending events failed; retrying')
        await delay(pollIntervalMs)
      }
      if (!isStopping && !isBehind && (await alarm.sleep())) await delay(batchDelayMs)
    }
  }

  return {
    wake: alarm.wake,
    start() {
      looping ??= loop()
    },
    async settle() {
      for (;;) {
        const { published, started } = await runRound()
        if (published + started === 0 && pool.isIdle()) return
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
