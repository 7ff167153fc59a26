import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'

/** One processor is left to the event loop. */
export const spareProcessors = Math.max(1, Math.min(4, availableParallelism() - 1))

const idleTimeoutMs = 30_000
const maxHeapMb = 256
/** Where processors are scarce, threads yield to the event loop. */
const niceIncrement = 10

export interface Threads<Task, Result> {
  /** Runs the program's default export with the task in a thread. Copying the task blocks the event loop, so large tasks are text. */
  run(task: Task): Promise<Result>
  close(): Promise<void>
}

/**
 * Worker threads for computations that would block the event loop. They start with the first task and end when there was none for half a minute, so that
 * an idle server has none.
 * @param program the URL of the thread's program, by `import.meta.resolve`; scripts/build/bundle.ts lists all such programs.
 */
export const createThreads = <Task, Result>(program: string, most: number): Threads<Task, Result> => {
  const pool = new Piscina<Task, Result>({
    filename: program,
    minThreads: 0,
    maxThreads: most,
    idleTimeout: idleTimeoutMs,
    resourceLimits: { maxOldGenerationSizeMb: maxHeapMb },
    niceIncrement
  })
  return { run: (task) => pool.run(task), close: () => pool.destroy() }
}
