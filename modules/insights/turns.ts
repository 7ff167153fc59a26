export interface Turns {
  /**
   * Runs `work` when fewer than `running` tasks of the tenant run, in the order of the calls.
   * @throws the error of `refuse` when `waiting` tasks of the tenant wait already.
   */
  take<T>(tenant: string, work: () => Promise<T>): Promise<T>
}

interface Line {
  running: number
  waiting: (() => void)[]
}

/** Bounds how many tasks of each tenant run at a time, and how many wait. */
export const createTurns = (most: { running: number; waiting: number }, refuse: () => Error): Turns => {
  const lines = new Map<string, Line>()
  const leave = (tenant: string, line: Line): void => {
    const next = line.waiting.shift()
    // The next task takes over the place of this one.
    if (next !== undefined) next()
    else if (--line.running === 0) lines.delete(tenant)
  }
  return {
    async take(tenant, work) {
      const line = lines.get(tenant) ?? { running: 0, waiting: [] }
      lines.set(tenant, line)
      if (line.running < most.running) line.running += 1
      else if (line.waiting.length < most.waiting) await new Promise<void>((resolve) => line.waiting.push(resolve))
      else throw refuse()
      try {
        return await work()
      } finally {
        leave(tenant, line)
      }
    }
  }
}
