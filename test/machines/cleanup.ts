import type { Cleaner } from '../build-app.ts'

/** Runs work outside a test runner and cleans up in reverse order, even after an error or a termination signal. */
export const runToEnd = async <T>(work: (t: Cleaner) => Promise<T>): Promise<T> => {
  const cleaners: (() => Promise<void> | void)[] = []
  const cleanUp = async (): Promise<void> => {
    for (let clean = cleaners.pop(); clean !== undefined; clean = cleaners.pop()) {
      try {
        await clean()
      } catch (error) {
        console.error(error)
      }
    }
  }
  const stop = () => void cleanUp().then(() => process.exit(1))
  process.once('SIGINT', stop)
  process.once('SIGTERM', stop)
  try {
    return await work({ teardown: (clean) => void cleaners.push(clean) })
  } finally {
    await cleanUp()
    process.removeListener('SIGINT', stop)
    process.removeListener('SIGTERM', stop)
  }
}
