/** What one check found. */
export interface Finding {
  subject: string
  state: 'ok' | 'warn' | 'fail'
  found: string
  /** What to do about it; there is one unless all is well. */
  cure?: string
}

export const ok = (subject: string, found: string): Finding => ({ subject, state: 'ok', found })
export const warn = (subject: string, found: string, cure: string): Finding => ({ subject, state: 'warn', found, cure })
export const fail = (subject: string, found: string, cure: string): Finding => ({ subject, state: 'fail', found, cure })

/** What an error says, with its code where that is not in its words; errors of several addresses say nothing by themselves. */
export const wordsOf = (error: unknown): string => {
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [error]
  if (!(first instanceof Error)) return String(first)
  const code = 'code' in first && typeof first.code === 'string' ? first.code : ''
  return code === '' || first.message.includes(code) ? first.message : `${first.message} (${code})`
}

const mark = { ok: 'ok  ', warn: 'warn', fail: 'FAIL' } as const

/** The findings for a person: one line each, and below it the cure. */
export const printTable = (findings: Finding[]): string => {
  const width = Math.max(...findings.map(({ subject }) => subject.length))
  const lines = findings.flatMap(({ state, subject, found, cure }) => [
    `${mark[state]}  ${subject.padEnd(width)}  ${found}`,
    ...(cure === undefined ? [] : [`${' '.repeat(width + 8)}→ ${cure}`])
  ])
  const count = (state: Finding['state']): number => findings.filter((finding) => finding.state === state).length
  const verdict =
    count('fail') > 0 ? `${count('fail')} to mend before the server can work` : 'nothing stands in the way'
  return `${lines.join('\n')}\n\n${verdict}; ${count('warn')} to look at, ${count('ok')} well.`
}
