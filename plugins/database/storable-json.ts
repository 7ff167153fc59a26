const loneSurrogate = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

/**
 * JSON that a jsonb column takes: half a surrogate pair, which PostgreSQL refuses there, becomes U+FFFD, as it does on its way into a text column.
 */
export const stringifyStorable = (value: unknown): string =>
  JSON.stringify(value, (_name, member: unknown) =>
    typeof member === 'string' ? member.replace(loneSurrogate, '\ufffd') : member
  )
