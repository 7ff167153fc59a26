const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * Serializes JSON for a jsonb column. An unpaired surrogate, which PostgreSQL rejects, becomes U+FFFD, as in a text column.
 */
export const stringifyStorable = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'string' ? member.replace(loneSurrogate, '\ufffd') : member
  )
