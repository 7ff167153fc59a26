import { createContext, runInContext } from 'node:vm'
import { RE2JS } from 're2js'

const hostileLength = 50_000
const timeLimitMs = 2_000

/** Every pattern of a document, with one of its locations. */
export const patternsIn = (value: unknown, at: string): [pattern: string, at: string][] => {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([name, member]): [string, string][] =>
    name === 'pattern' && typeof member === 'string' ? [[member, at]] : patternsIn(member, `${at}/${name}`)
  )
}

/** Long runs of one or two characters. Their end makes most patterns fail after trying every split of the run. */
const hostileTexts = (): string[] => {
  const units = [' ', 'a', 'Z', '0', '.', '@', '-', '_', ':', '/', '\t', '\u00e9', 'a ', 'a.', 'a@', '0-', ' \t']
  const starts = ['', 'a', 'a@', 'https://']
  const ends = ['', '\0', ' ', '@', '!', '\n']
  return units.flatMap((unit) => {
    const run = unit.repeat(hostileLength / unit.length)
    return starts.flatMap((start) => ends.map((end) => `${start}${run}${end}`))
  })
}

const context = createContext({ texts: hostileTexts(), pattern: '' })

const isLinear = (pattern: string): boolean => {
  Object.assign(context, { pattern })
  try {
    // The time limit of `vm` also ends a regular expression that backtracks.
    runInContext(
      '{ const expression = new RegExp(pattern, "u"); for (const text of texts) expression.test(text) }',
      context,
      {
        timeout: timeLimitMs
      }
    )
    return true
  } catch {
    return false
  }
}

const compilesInRe2 = (pattern: string): boolean => {
  // RE2JS reads `\u`, which RE2 itself does not.
  if (/\\u/.test(pattern)) return false
  try {
    RE2JS.compile(pattern)
    return true
  } catch {
    return false
  }
}

/** The fault of a pattern; undefined when it has none. */
export const faultOfPattern = (pattern: string): string | undefined => {
  if (!compilesInRe2(pattern)) return 'does not compile in RE2: avoid lookarounds, backreferences and \\u escapes'
  return isLinear(pattern)
    ? undefined
    : `takes too long for ${hostileLength} characters: let no two repetitions match the same text`
}
