const maxBytes = 16 * 1024

/** NUL and lone surrogates as JSON.stringify escapes them; jsonb cannot store either. */
const unstorable = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/

/** Why preferences, as JSON, cannot be stored; undefined when they can. */
export const preferencesFault = (json: string): string | undefined => {
  if (Buffer.byteLength(json) > maxBytes) return 'must be at most 16 KiB as JSON'
  if (unstorable.test(json)) return 'must not contain NUL or a lone surrogate'
  return undefined
}
