const maxWidth = 130

/** Joins items between brackets: on one line if they fit, otherwise one per line, indented by two spaces. */
export const bracket = (open: string, items: readonly string[], close: string): string => {
  if (items.length === 0) return open.trimEnd() + close.trimStart()
  const padding = open.endsWith('{') ? ' ' : ''
  const line = `${open}${padding}${items.join(', ')}${padding}${close}`
  if (line.length <= maxWidth && !line.includes('\n')) return line
  return `${open}\n${items.join(',\n').replace(/^/gm, '  ')}\n${close}`
}

/** A function call. Undefined arguments are omitted. */
export const call = (name: string, ...given: (string | undefined)[]): string =>
  `${name}(${given.filter((item) => item !== undefined).join(', ')})`

/** A value as TypeScript source, with single quotes and bare keys. */
export const literal = (value: unknown): string => {
  if (typeof value === 'string') return quote(value)
  if (Array.isArray(value)) return bracket('[', value.map(literal), ']')
  if (typeof value === 'object' && value !== null) {
    return bracket(
      '{',
      Object.entries(value).map(([key, item]) => `${propertyKey(key)}: ${literal(item)}`),
      '}'
    )
  }
  return String(value)
}

export const quote = (text: string): string =>
  `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`

export const propertyKey = (key: string): string => (/^([A-Za-z_$][\w$]*|[1-9]\d*)$/.test(key) ? key : quote(key))
