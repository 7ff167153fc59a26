const maxBytes = 16 * 1024

/** Why preferences, as JSON, cannot be stored; undefined when they can. */
export const preferencesFault = (json: string): string | undefined =>
  Buffer.byteLength(json) > maxBytes ? 'must be at most 16 KiB as JSON' : undefined
