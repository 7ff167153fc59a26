import { parse } from '@humanwhocodes/momoa'

interface Place {
  line: number
  column: number
  offset: number
}

/** The parser's errors have a place (momoa's ErrorWithLocation, which it does not export). */
const isPlace = (error: unknown): error is Place =>
  error instanceof Error && 'line' in error && 'column' in error && 'offset' in error

const controlCharacter = /[\0-\x1f]/

/** The first place at which a text is no JSON; undefined when the parser finds none. It reads control characters in strings, which JSON does not have. */
const firstFault = (text: string): Place | undefined => {
  try {
    const { tokens = [] } = parse(text, { tokens: true })
    const spoilt = tokens.find(
      ({ type, loc }) => type === 'String' && controlCharacter.test(text.slice(loc.start.offset, loc.end.offset))
    )
    return spoilt?.loc.start
  } catch (error) {
    return isPlace(error) ? error : undefined
  }
}

/** What is likely wrong, by the text around the place. */
const hintFor = (before: string, at: string): string => {
  if (at === '') return 'The text ends too early: close every bracket and quotation mark.'
  if (/^['‘’“”«»`]/.test(at)) return 'Use straight double quotation marks.'
  if (/^[}\]]/.test(at) && /,\s*$/.test(before)) return 'Remove the comma before it.'
  if (/^(\/[/*]|#)/.test(at)) return 'JSON has no comments.'
  if (/^[A-Za-z_$]/.test(at) && !/[\w"]$/.test(before))
    return 'Put names and texts in double quotation marks; only true, false and null are written without them.'
  if (/^"/.test(at) && /^"[^"\\]*[\0-\x1f]/.test(at)) return 'Write line breaks and tabs in a text as \\n and \\t.'
  return 'Check the commas, colons, quotation marks and brackets around it.'
}

/** How much of a text is searched, because the search takes ten times as long as parsing. */
const searched = 100_000

/** How much text on each side of a fault a hint looks at. */
const looked = 200

/**
 * Says where a text stops being JSON, and what is likely wrong there. Repeats nothing of the text.
 * @param text rejected by the JSON parser
 */
export const describeJsonFault = (text: string): string => {
  const read = text.replace(/^\ufeff/, '')
  if (read.trim() === '') return 'The body is empty. Send a JSON object.'
  const fault = firstFault(read.slice(0, searched))
  if (read.length > searched && (fault === undefined || fault.offset > searched - looked))
    return `The body is not valid JSON after its first ${searched} characters. Serialize it with a JSON library.`
  if (fault === undefined) return 'The body has a field named __proto__ or constructor. Remove it.'
  const { line, column, offset } = fault
  const hint = hintFor(read.slice(Math.max(0, offset - looked), offset), read.slice(offset, offset + looked))
  return `The body is not valid JSON at line ${line}, column ${column}. ${hint}`
}
