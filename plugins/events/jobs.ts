import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

export interface Jobs {
  /**
   * Runs `work` again and again, `intervalMs` after its last run ended, once the server is ready; on several instances by one of them at a time.
   * A failure is logged and the next run comes as usual, so `work` must be able to take up what a dead process left.
   */
  every(name: string, intervalMs: number, work: () => Promise<void>): void
  /** Runs one job now, unless it is running anywhere; for tests that turn the clock and for work that should not wait for its turn. */
  run(name: string): Promise<void>
  /** Runs every job now, one after the other. */
  runAll(): Promise<void>
  /**
   * @returns a function that makes the job run now instead of at its next turn, and once more when it is called while the job runs, which may
   *   have looked before there was something to do. It waits for nothing; a failure is logged.
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

const runMeasured = async (app: FastifyInstance, job: Job): Promise<void> => {
  const startedAt = performance.now()
  let outcome: 'ok' | 'failed' = 'failed'
  try {
    await job.work()
    outcome = 'ok'
  } finally {
    app.metrics.jobRan(job.name, outcome, (performance.now() - startedAt) / 1000)
  }
}

const runExclusively = async (app: FastifyInstance, job: Job): Promise<void> => {
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
  (app, _options, done) => {
    const jobs = new Map<string, Job>()
    let closing = false
    const runOnce = (job: Job): Promise<void> => {
      job.running ??= runExclusively(app, job).finally(() => {
        delete job.running
      })
      return job.running
    }
    const find = (name: string): Job => {
      const job = jobs.get(name)
      if (job === undefined) throw new Error(`There is no job by the name of "${name}".`)
      return job
    }
    const logFailure = (job: Job) => (error: unknown) =>
      app.log.error({ err: error, job: job.name }, 'a job failed; it runs again at its next turn')
    const schedule = (job: Job): void => {
      if (closing) return
      job.timer = setTimeout(() => {
        runOnce(job)
          .catch(logFailure(job))
          .finally(() => schedule(job))
      }, job.intervalMs)
      job.timer.unref()
    }
    app.decorate('jobs', {
      every(name, intervalMs, work) {
        if (jobs.has(name)) throw new Error(`There are two jobs by the name of "${name}".`)
        jobs.set(name, { name, intervalMs, work })
      },
      async run(name) {
        await runOnce(find(name))
      },
      async runAll() {
        for (const job of jobs.values()) await runOnce(job)
      },
      prompter(name) {
        const job = find(name)
        let working = false
        let again = false
        const work = async (): Promise<void> => {
          working = true
          try {
            do {
              again = false
              await runOnce(job)
            } while (again && !closing)
          } finally {
            working = false
          }
        }
        return () => {
          if (closing) return
          if (working) again = true
          else work().catch(logFailure(job))
        }
      }
    })
    app.addHook('onReady', () => jobs.forEach(schedule))
    app.addHook('preClose', async () => {
      closing = true
      for (const job of jobs.values()) clearTimeout(job.timer)
      await Promise.allSettled([...jobs.values()].map((job) => job.running ?? Promise.resolve()))
    })
    done()
  },
  { name: 'jobs', dependencies: ['database', 'metrics'] }
)
