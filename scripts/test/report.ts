import { AssertionError } from 'node:assert'
import { once } from 'node:events'
import type { Writable } from 'node:stream'
import type { TAP } from 'tap'
import { Parser, type FinalResults, type Result } from 'tap-parser'
import { timeLeft } from '../progress.ts'

const tickMs = 1_000

interface ReportOptions {
  /** Number of test files. */
  files: number
  output: Writable & { isTTY?: boolean }
}

interface Failure {
  titles: string[]
  diagnostics: Record<string, unknown>
}

interface FileReport {
  tests: number
  failures: Failure[]
  /** Output of the file other than its results. */
  printed: string
}

/** Details that repeat the stack, the message or the command of the file. */
const noise = new Set(
  'at source stack actual expected operator generatedMessage tapCaught stdio cwd command args jobId'.split(' ')
)

const indent = (text: string): string => text.trimEnd().replaceAll(/^(?=.)/gm, '    ')

const describeDetails = (diagnostics: Record<string, unknown>): string[] =>
  Object.entries(diagnostics)
    .filter(([name, value]) => !noise.has(name) && value !== null)
    .flatMap(([name, value]) =>
      typeof value === 'object'
        ? [`${name}:`, ...describeDetails(value as Record<string, unknown>).map((line) => indent(line))]
        : [`${name}: ${value as string}`]
    )
    .concat(typeof diagnostics.stack === 'string' ? [diagnostics.stack] : [])

/** tap puts messages on one line, but a comparison is readable only on several. */
const messageOf = (
  title: string,
  { actual, expected, operator, generatedMessage }: Record<string, unknown>
): string => {
  if (typeof operator !== 'string' || !/equal$/i.test(operator)) return title
  const { message } = new AssertionError({ actual, expected, operator })
  return generatedMessage === true ? message : `${title}\n${message}`
}

const describeFailure = ({ titles, diagnostics }: Failure): string => {
  const message = messageOf(titles.at(-1) ?? '', diagnostics)
  const lines = [message, ...describeDetails(diagnostics)].map(indent)
  return [`  ✖ ${titles.slice(0, -1).join(' > ')}`, ...lines].join('\n')
}

/** Collects the results of a test and of the tests inside it. A test that contains others counts as those. */
const collect = (parser: Parser, titles: string[], into: FileReport): void => {
  let inner: FinalResults | undefined
  parser.on('child', (child: Parser) => {
    collect(child, [...titles, child.name], into)
    child.on('complete', (results: FinalResults) => (inner = results))
  })
  parser.on('extra', (text: string) => (into.printed += text))
  parser.on('assert', (result: Result) => {
    const { count, ok } = (result.closingTestPoint ? inner : undefined) ?? { count: 0, ok: true }
    inner = undefined
    if (count === 0) into.tests += 1
    if (!result.ok && !result.todo && (count === 0 || ok))
      into.failures.push({
        titles: [...titles, result.name],
        diagnostics: (result.diag ?? {}) as Record<string, unknown>
      })
  })
}

/** Prints tap's report: one line per file, or on a terminal a counter, and every failure. */
export const report = async (tap: TAP, { files, output }: ReportOptions): Promise<void> => {
  const terminal = output.isTTY === true
  const root = new Parser()
  let done = 0
  let tests = 0
  let failed = 0
  let file: FileReport = { tests: 0, failures: [], printed: '' }
  const clear = terminal ? '\r\u001b[K' : ''
  const begun = performance.now()
  const showProgress = () => {
    if (!terminal) return
    const left = timeLeft(done, files, performance.now() - begun)
    output.write(`${clear}${done} of ${files} files, ${tests - failed} passed, ${failed} failed${left}`)
  }
  const timer = terminal ? setInterval(showProgress, tickMs) : undefined
  root.on('child', (child: Parser) => {
    file = { tests: 0, failures: [], printed: '' }
    collect(child, [], file)
  })
  root.on('assert', (result: Result) => {
    const diagnostics = (result.diag ?? {}) as Record<string, unknown>
    const name = typeof diagnostics.expired === 'string' ? diagnostics.expired : result.name
    // A file that failed without a failed test, for example with an error outside any test.
    if (!result.ok && file.failures.length === 0)
      file.failures.push({ titles: [name, 'The file failed outside its tests. See its output.'], diagnostics })
    done += 1
    tests += file.tests
    failed += file.failures.length
    const seconds = ((result.time ?? 0) / 1000).toFixed(1)
    const line = `${result.ok ? 'ok  ' : 'FAIL'} ${name} (${file.tests} tests, ${seconds} s)`
    const failures = file.failures.map((failure) => `${describeFailure(failure)}\n`).join('')
    output.write(`${clear}${file.printed}${terminal && result.ok ? '' : `${line}\n`}${failures}`)
    file = { tests: 0, failures: [], printed: '' }
    showProgress()
  })
  root.on('extra', (text: string) => output.write(`${clear}${text}`))
  showProgress()
  tap.pipe(root)
  await once(root, 'complete')
  clearInterval(timer)
  output.write(clear)
}
