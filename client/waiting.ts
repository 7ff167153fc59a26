import { AtlasTimeout } from './errors.ts'

/** The longest delay of a timer, 24 days. A timer with a longer one fires at once. */
const longestTimerMs = 2 ** 31 - 1

/** The reason of an aborted signal, as an error. */
const reasonOf = (signal: AbortSignal | undefined): Error => {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('The call was aborted.', { cause: reason })
}

/** A function, so that TypeScript does not narrow `aborted` across an await. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false

/**
 * Waits.
 * @throws the reason of the signal, as soon as it is aborted
 */
export const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (isAborted(signal)) return reject(reasonOf(signal))
    const stop = (): void => {
      clearTimeout(timer)
      if (signal !== undefined) reject(reasonOf(signal))
    }
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop)
        resolve()
      },
      Math.min(ms, longestTimerMs)
    )
    signal?.addEventListener('abort', stop, { once: true })
  })

/**
 * Runs work with a signal that aborts at the timeout or with the caller's signal. A timeout above 24 days is none. Uses one controller, because older
 * runtimes lack AbortSignal.any.
 * @throws AtlasTimeout at the timeout; the reason of the caller's signal when it was aborted
 */
export const withTimeout = async <T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  if (isAborted(outer)) throw reasonOf(outer)
  const controller = new AbortController()
  let isTimedOut = false
  const abort = (): void => controller.abort(outer?.reason)
  const timeOut = (): void => {
    isTimedOut = true
    controller.abort()
  }
  const timer = timeoutMs > longestTimerMs ? undefined : setTimeout(timeOut, timeoutMs)
  outer?.addEventListener('abort', abort, { once: true })
  try {
    return await work(controller.signal)
  } catch (error) {
    if (isAborted(outer)) throw reasonOf(outer)
    if (isTimedOut) throw new AtlasTimeout(timeoutMs)
    throw error
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', abort)
  }
}
