import { countOf } from '../progress.ts'
import { wordsOf } from '../../plugins/startup/error.ts'

/** The result of one check. */
export interface Finding {
  subject: string
  state: 'ok' | 'warn' | 'fail'
  found: string
  /** How to fix the problem; undefined when `state` is `ok`. */
  cure?: string
}

export const ok = (subject: string, found: string): Finding => ({ subject, state: 'ok', found })
export const warn = (subject: string, found: string, cure: string): Finding => ({ subject, state: 'warn', found, cure })
export const fail = (subject: string, found: string, cure: string): Finding => ({ subject, state: 'fail', found, cure })

/** The data directory cannot be written. */
export const unwritable = (error: unknown): Finding =>
  fail(
    'data directory',
    wordsOf(error),
    'Give the user that runs the server write access, or set ATLAS_DATA_DIR to another directory.'
  )

const verdictOf = (errors: number, warnings: number): string => {
  const notes = warnings === 0 ? '' : `, with ${countOf(warnings, 'warning')} above`
  if (errors === 0) return `No problems: the server can start${notes}.`
  return `${countOf(errors, 'problem')} found${notes}. Fix ${errors === 1 ? 'it' : 'them'} before you start the server.`
}

const mark = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

/** Formats the findings as a table: one line per finding, followed by its cure. */
export const printTable = (findings: Finding[]): string => {
  const width = Math.max(...findings.map(({ subject }) => subject.length))
  const lines = findings.flatMap(({ state, subject, found, cure }) => [
    `${mark[state]}  ${subject.padEnd(width)}  ${found}`,
    ...(cure === undefined ? [] : [`${' '.repeat(width + 8)}→ ${cure}`])
  ])
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length
  return `${lines.join('\n')}\n\n${verdictOf(count('fail'), count('warn'))}`
}
