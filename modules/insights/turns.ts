import PQueue from 'p-queue'

export interface Turns {
  /**
   * Runs `work` when fewer than `running` tasks of the tenant run, in the order of the calls.
   * @throws the error of `refuse` when `waiting` tasks of the tenant wait already.
   */
  take<T>(tenant: string, work: () => Promise<T>): Promise<T>
}

/** Bounds how many tasks of each tenant run at a time, and how many wait. */
export const createTurns = (most: { running: number; waiting: number }, refuse: () => Error): Turns => {
  const queues = new Map<string, PQueue>()
  return {
    async take(tenant, work) {
      const queue = queues.get(tenant) ?? new PQueue({ concurrency: most.running })
      if (queue.size >= most.waiting) throw refuse()
      queues.set(tenant, queue)
      try {
        return await queue.add(work)
      } finally {
        if (queue.size + queue.pending === 0) queues.delete(tenant)
      }
    }
  }
}
