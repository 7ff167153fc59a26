import type { Writable } from 'node:stream'

type Output = Writable & { isTTY?: boolean }

const clearLine = '\r\u001b[K'
const tickMs = 1_000
/** How often a long piece of work reports to an output that is not a terminal. */
const reportMs = 10_000

const minuteS = 60

/** A duration in words, such as `3 s` or `2 min`. */
export const durationOf = (ms: number): string => {
  const seconds = Math.round(ms / 1000)
  return seconds < 2 * minuteS ? `${seconds} s` : `${Math.round(seconds / minuteS)} min`
}

/**
 * The time that is left, judged by the pace so far, such as `, about 40 s left`; empty while it cannot be judged.
 * @param done how many of `total` equal pieces are done after `elapsedMs`
 */
export const timeLeft = (done: number, total: number, elapsedMs: number): string =>
  done === 0 || done >= total ? '' : `, about ${durationOf((elapsedMs / done) * (total - done))} left`

/** Says on standard error what a command does now. For work that blocks the process; otherwise use `withProgress`. */
export const announce = (text: string, output: Output = process.stderr): void => void output.write(`${text} …\n`)

/**
 * Shows on standard error that work is under way, once it takes longer than a second: on a terminal with the time that has passed, elsewhere a line every
 * ten seconds.
 * @param textOf what is done, which may change while it is done
 */
export const withProgress = async <T>(
  textOf: string | (() => string),
  work: () => Promise<T>,
  output: Output = process.stderr
): Promise<T> => {
  const begun = performance.now()
  const line = () => `${typeof textOf === 'string' ? textOf : textOf()} … ${durationOf(performance.now() - begun)}`
  const isTerminal = output.isTTY === true
  const timer = isTerminal
    ? setInterval(() => output.write(`${clearLine}${line()}`), tickMs)
    : setInterval(() => output.write(`${line()}\n`), reportMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    if (isTerminal) output.write(clearLine)
  }
}

/** A number of things in words, such as `1 wallet`, or with endings `12 entries`. */
export const countOf = (count: number, noun: string, one = '', many = 's'): string =>
  `${count} ${noun}${count === 1 ? one : many}`
