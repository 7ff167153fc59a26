import { AssertionError } from 'node:assert'
import type { Readable, Writable } from 'node:stream'
import { inspect } from 'node:util'
import { Parser, type FinalResults, type Result } from 'tap-parser'

export interface Totals {
  passed: number
  failed: number
  skipped: number
}

interface ReportOptions {
  /** Number of test files. */
  files: number
  /** Path of the source of a test file that tap names. */
  sourceOf: (name: string) => string
  output: Writable & { isTTY?: boolean }
}

interface Failure {
  titles: string[]
  diagnostics: Record<string, unknown>
}

interface FileReport {
  tests: number
  failures: Failure[]
  /** What the file printed beside its results. */
  printed: string
}

/** Details that tap adds to every failure and that repeat the stack or the runner's own arguments. */
const noise = new Set(['at', 'source', 'stack', 'actual', 'expected', 'operator', 'generatedMessage', 'tapCaught'])

const indent = (text: string): string => text.trimEnd().replaceAll(/^(?=.)/gm, '    ')

/** tap puts messages on one line; a comparison is readable only on several. */
const messageOf = (title: string, { actual, expected, operator }: Record<string, unknown>): string =>
  typeof operator === 'string' && operator.endsWith('Equal')
    ? new AssertionError({ actual, expected, operator }).message
    : title

const describeFailure = ({ titles, diagnostics }: Failure): string => {
  const path = titles.slice(0, -1)
  const details = Object.entries(diagnostics).filter(([name]) => !noise.has(name))
  return [
    `  ✖ ${path.join(' > ')}`,
    indent(titles.at(-1) ?? ''),
    indent(messageOf('', diagnostics)),
    ...details.map(([name, value]) => indent(`${name}: ${typeof value === 'string' ? value : inspect(value)}`)),
    typeof diagnostics.stack === 'string' ? indent(diagnostics.stack) : ''
  ]
    .filter((line) => line !== '')
    .join('\n')
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

/** `# { total: 16, pass: 15, fail: 1 }`, the totals with which tap ends. */
const totalsOf = (comment: string): Totals | undefined => {
  if (!/^# \{ total: \d+/.test(comment)) return undefined
  const read = (name: string) => Number(new RegExp(` ${name}: (\\d+)`).exec(comment)?.[1] ?? 0)
  return { passed: read('pass'), failed: read('fail'), skipped: read('skip') + read('todo') }
}

/**
 * Prints what tap reports: one line per file, or on a terminal a counter, and every failure.
 * @returns tap's own totals; undefined when it ended without them
 */
export const report = async (
  tap: Readable,
  { files, sourceOf, output }: ReportOptions
): Promise<Totals | undefined> => {
  const terminal = output.isTTY === true
  const root = new Parser()
  let totals: Totals | undefined
  let done = 0
  let tests = 0
  let failed = 0
  let file: FileReport = { tests: 0, failures: [], printed: '' }
  const clear = terminal ? '\r\u001b[K' : ''
  const showProgress = () => {
    if (terminal) output.write(`${clear}${done} of ${files} files, ${tests - failed} passed, ${failed} failed`)
  }
  root.on('child', (child: Parser) => {
    file = { tests: 0, failures: [], printed: '' }
    collect(child, [], file)
  })
  root.on('assert', (result: Result) => {
    // A file that ended badly without a failed test, such as by an error outside any test.
    if (!result.ok && file.failures.length === 0)
      file.failures.push({
        titles: [`${sourceOf(result.name)} failed outside its tests`],
        diagnostics: (result.diag ?? {}) as Record<string, unknown>
      })
    done += 1
    tests += file.tests
    failed += file.failures.length
    const seconds = ((result.time ?? 0) / 1000).toFixed(1)
    const line = `${result.ok ? 'ok  ' : 'FAIL'} ${sourceOf(result.name)} (${file.tests} tests, ${seconds} s)`
    const failures = file.failures.map((failure) => `${describeFailure(failure)}\n`).join('')
    output.write(`${clear}${file.printed}${terminal && result.ok ? '' : `${line}\n`}${failures}`)
    file = { tests: 0, failures: [], printed: '' }
    showProgress()
  })
  root.on('extra', (text: string) => output.write(`${clear}${text}`))
  root.on('comment', (comment: string) => (totals = totalsOf(comment) ?? totals))
  showProgress()
  for await (const part of tap) root.write(part as Buffer)
  root.end()
  output.write(clear)
  return totals
}
