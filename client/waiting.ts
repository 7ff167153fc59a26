import { AtlasTimeout } from './errors.ts'

/** What an aborted signal says, as something to throw. */
const reasonOf = (signal: AbortSignal | undefined): Error => {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('The call was aborted.', { cause: reason })
}

/** Asked anew each time, since a signal changes while one waits. */
const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted ?? false

/**
 * Resolves after the time.
 * @throws the reason of the signal, as soon as it is aborted
 */
export const wait = (ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    if (isAborted(signal)) return reject(reasonOf(signal))
    const stop = (): void => {
      clearTimeout(timer)
      if (signal !== undefined) reject(reasonOf(signal))
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop)
      resolve()
    }, ms)
    signal?.addEventListener('abort', stop, { once: true })
  })

/**
 * Does work under a signal that aborts when the time is up or when the caller's signal does. Built from one controller,
 * since AbortSignal.any is missing in runtimes that are still about.
 * @throws AtlasTimeout when the time was up; the reason of the caller's signal when that was aborted
 */
export const withTimeout = async <T>(
  timeoutMs: number,
  outer: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>
): Promise<T> => {
  if (isAborted(outer)) throw reasonOf(outer)
  const controller = new AbortController()
  let isLate = false
  const pass = (): void => controller.abort(outer?.reason)
  const timer = setTimeout(() => {
    isLate = true
    controller.abort()
  }, timeoutMs)
  outer?.addEventListener('abort', pass, { once: true })
  try {
    return await work(controller.signal)
  } catch (error) {
    if (isAborted(outer)) throw reasonOf(outer)
    if (isLate) throw new AtlasTimeout(timeoutMs)
    throw error
  } finally {
    clearTimeout(timer)
    outer?.removeEventListener('abort', pass)
  }
}
