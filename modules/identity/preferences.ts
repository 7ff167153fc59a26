const mostBytes = 16 * 1024

/** NUL and halves of surrogate pairs, as JSON.stringify escapes them; the database's jsonb holds neither. */
const notText = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

/** What is wrong with preferences, as JSON, that cannot be stored; undefined when nothing is. */
export const preferencesFault = (json: string): string | undefined => {
  if (Buffer.byteLength(json) > mostBytes) return 'must take at most 16 KiB as JSON'
  if (notText.test(json)) return 'must not hold the character NUL nor half a surrogate pair'
  return undefined
}
