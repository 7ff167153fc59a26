import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export interface Jobs {
  /**
   * Runs `work` repeatedly once the server is ready, `intervalMs` after the end of the previous run, on one instance at a time.
   * A failure is logged and does not stop later runs, so `work` must be able to continue what a dead process left.
   */
  every(name: string, intervalMs: number, work: () => Promise<void>): void
  /** Runs one job from its beginning, after its current run on this instance, and not while it runs on another. */
  run(name: string): Promise<void>
  /** Runs every job now, in sequence. */
  runAll(): Promise<void>
  /**
   * @returns a function that starts the job without waiting for it, and logs failures. A call during a run starts one more run, because
   *   the current one may have missed the new work.
   */
  prompter(name: string): () => void
}

interface Job {
  name: string
  intervalMs: number
  work: () => Promise<void>
  timer?: NodeJS.Timeout
  running?: Promise<void>
}

const runMeasured = async (app: Pick<FastifyInstance, 'metrics'>, job: Job): Promise<void> => {
  const startedAt = performance.now()
  let outcome: 'ok' | 'failed' = 'failed'
  try {
    await job.work()
    outcome = 'ok'
  } finally {
    app.metrics.jobRan(job.name, outcome, (performance.now() - startedAt) / 1000)
  }
}

const runExclusively = async (app: Pick<FastifyInstance, 'database' | 'metrics'>, job: Job): Promise<void> => {
  const release = await app.database.locks.tryAcquire(`job ${job.name}`)
  if (release === undefined) return
  try {
    await runMeasured(app, job)
  } finally {
    await release()
  }
}

declare module 'fastify' {
  interface FastifyInstance {
    jobs: Jobs
  }
}

/** Periodic work of the server. */
export default fp(
  async (app) => {
    const jobs = new Map<string, Job>()
    let isClosing = false
    const runOnce = (job: Job): Promise<void> => {
      job.running ??= runExclusively(app, job).finally(() => {
        delete job.running
      })
      return job.running
    }
    const find = (name: string): Job => {
      const job = jobs.get(name)
      if (job === undefined) throw new Error(`There is no job named "${name}".`)
      return job
    }
    const logFailure = (job: Job) => (error: unknown) =>
      app.log.error({ err: error, job: job.name }, 'a job failed; it runs again after its interval')
    const schedule = (job: Job): void => {
      if (isClosing) return
      job.timer = setTimeout(() => {
        runOnce(job)
          .catch(logFailure(job))
          .finally(() => schedule(job))
      }, job.intervalMs)
      job.timer.unref()
    }
    app.decorate('jobs', {
      every(name, intervalMs, work) {
        if (jobs.has(name)) throw new Error(`There are two jobs named "${name}".`)
        jobs.set(name, { name, intervalMs, work })
      },
      async run(name) {
        const job = find(name)
        await job.running?.catch(() => undefined)
        await runOnce(job)
      },
      async runAll() {
        for (const job of jobs.values()) await runOnce(job)
      },
      prompter(name) {
        const job = find(name)
        let isWorking = false
        let isRequested = false
        const work = async (): Promise<void> => {
          isWorking = true
          try {
            do {
              isRequested = false
              await runOnce(job)
            } while (isRequested && !isClosing)
          } finally {
            isWorking = false
          }
        }
        return () => {
          if (isClosing) return
          if (isWorking) isRequested = true
          else work().catch(logFailure(job))
        }
      }
    })
    app.addHook('onReady', () => jobs.forEach(schedule))
    app.addHook('preClose', async () => {
      isClosing = true
      for (const job of jobs.values()) clearTimeout(job.timer)
      await Promise.allSettled([...jobs.values()].map((job) => job.running ?? Promise.resolve()))
    })
  },
  { name: 'jobs', dependencies: ['database', 'metrics'] }
)
